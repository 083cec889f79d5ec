import { closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const MAGIC = 0x377f0682;
/** Where the index keeps the number of frames in the log, and how many of them are in the database. */
const INDEX_FRAMES_AT = 16;
const INDEX_BACKFILLED_AT = 96;
const INDEX_BYTES = 100;

const DATABASE_MAGIC = 'SQLite format 3\0';
const DATABASE_HEADER_BYTES = 100;

/**
 * What is wrong with the database file itself, as far as its head tells: the log may have all of its pages, so that SQLite
 * never looks at them. Undefined when nothing is, or there is none.
 */
export function findFileDamage(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  const head = readHead(path, DATABASE_HEADER_BYTES);
  if (head?.toString('latin1', 0, 16) !== DATABASE_MAGIC) return 'its head cannot be read';
  const bytes = pageBytes(head.readUInt16BE(16)) * head.readUInt32BE(28);
  return statSync(path).size < bytes ? 'it is shorter than its head says' : undefined;
}

/** Source: sqlite.org/fileformat.html: 1 stands for 65536. */
const pageBytes = (stored: number): number => (stored === 1 ? 65_536 : stored);

function readHead(path: string, length: number): Buffer | undefined {
  const head = Buffer.alloc(length);
  const fd = openSync(path, 'r');
  try {
    return readSync(fd, head, 0, length, 0) < length ? undefined : head;
  } finally {
    closeSync(fd);
  }
}

/**
 * What is wrong with the write-ahead log that an earlier process left beside the database at `path`: SQLite takes the part
 * before the damage and says nothing of the rest. Undefined when it is whole. To be asked before the database is opened.
 *
 * Frames of an earlier round may follow those of the present one (the log is overwritten from its start); they carry
 * other salts. Source: sqlite.org/walformat.html.
 */
export function findLogDamage(path: string): string | undefined {
  const log = existsSync(`${path}-wal`) ? readFileSync(`${path}-wal`) : Buffer.alloc(0);
  const missing = framesOnlyInIndex(`${path}-shm`);
  if (log.length === 0) return missing > 0 ? `it is empty, but held ${missing} pages` : undefined;
  const magic = log.length < HEADER_BYTES ? 0 : (log.readUInt32BE(0) & ~1) >>> 0;
  if (magic !== MAGIC) return 'its head cannot be read';
  const isBigEndian = (log.readUInt32BE(0) & 1) === 1;
  const words = log.subarray(0, 24);
  const head = checksum(words, [0, 0], isBigEndian);
  if (!same(head, log, 24)) return 'its head does not match its checksum';
  return scanFrames(log, head, isBigEndian, missing);
}

function scanFrames(log: Buffer, head: Sums, isBigEndian: boolean, expected: number): string | undefined {
  const frameBytes = FRAME_HEADER_BYTES + log.readUInt32BE(8);
  const salts = log.subarray(16, 24);
  let sums = head;
  let whole = 0;
  let isBroken = false;
  let lost = 0;
  for (let at = HEADER_BYTES; at < log.length; at += frameBytes) {
    const frame = log.subarray(at, at + frameBytes);
    const isOurs = frame.length >= 16 && frame.subarray(8, 16).equals(salts);
    if (!isBroken && isOurs && frame.length === frameBytes) {
      sums = checksum(frame.subarray(0, 8), sums, isBigEndian);
      sums = checksum(frame.subarray(FRAME_HEADER_BYTES), sums, isBigEndian);
      if (same(sums, frame, 16)) {
        whole += 1;
        continue;
      }
    }
    isBroken = true;
    if (isOurs) lost += 1;
  }
  if (lost > 0) return `${lost} of its pages cannot be read`;
  return whole < expected ? `${expected - whole} of its pages are missing` : undefined;
}

type Sums = readonly [number, number];

/** The log's checksum, of pairs of 32-bit words. */
function checksum(bytes: Buffer, [first, second]: Sums, isBigEndian: boolean): Sums {
  let s0 = first;
  let s1 = second;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at + 8 <= bytes.length; at += 8) {
    s0 = (s0 + view.getUint32(at, !isBigEndian) + s1) >>> 0;
    s1 = (s1 + view.getUint32(at + 4, !isBigEndian) + s0) >>> 0;
  }
  return [s0, s1];
}

const same = ([s0, s1]: Sums, bytes: Buffer, at: number): boolean =>
  bytes.readUInt32BE(at) === s0 && bytes.readUInt32BE(at + 4) === s1;

/** Frames that the index of an earlier process knows and that are not in the database yet; 0 when there is no index. */
function framesOnlyInIndex(path: string): number {
  if (!existsSync(path)) return 0;
  const index = readHead(path, INDEX_BYTES);
  // Two copies of one head; they differ when the index itself is damaged.
  if (!index?.subarray(0, 48).equals(index.subarray(48, 96))) return 0;
  const frames = index.readUInt32LE(INDEX_FRAMES_AT);
  return frames > index.readUInt32LE(INDEX_BACKFILLED_AT) ? frames : 0;
}
