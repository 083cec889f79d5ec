import type { OutputChunk } from '../types.ts';

/** One line of conmon's k8s-file format: `<RFC 3339 time> <stream> <F|P> <content>`. Source: conmon `ctr_logging.c`. */
export interface LogEntry {
  /** As written, with the writer's zone offset. */
  readonly time: string;
  readonly stream: OutputChunk['stream'];
  /** Full: the content ended with a newline. Partial entries are continued by the stream's next one. */
  readonly isFull: boolean;
  readonly content: Buffer;
}

const SPACE = 0x20;
/** Shortest header: a time, `stdout`, a flag. Longer than this is no header of ours. */
const MAX_HEADER_BYTES = 64;

/** Parses one line without its newline. Undefined when it is damaged. */
export function parseEntry(line: Buffer): LogEntry | undefined {
  const timeEnd = line.indexOf(SPACE);
  if (timeEnd < 20 || timeEnd > MAX_HEADER_BYTES) return undefined;
  const streamEnd = timeEnd + 7;
  if (line[streamEnd] !== SPACE || line[streamEnd + 2] !== SPACE) return undefined;
  const stream = line.toString('latin1', timeEnd + 1, streamEnd);
  const flag = line[streamEnd + 1];
  if ((stream !== 'stdout' && stream !== 'stderr') || (flag !== 0x46 && flag !== 0x50)) return undefined;
  return {
    time: line.toString('latin1', 0, timeEnd),
    stream,
    isFull: flag === 0x46,
    content: line.subarray(streamEnd + 3),
  };
}

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/;
const NS_PER_MS = 1_000_000n;

/** Nanoseconds since the epoch; undefined when the text is no RFC 3339 time. */
export function timeToNs(time: string): bigint | undefined {
  const match = TIME.exec(time);
  if (!match) return undefined;
  const ms = Date.parse(`${match[1]}${match[3]}`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * NS_PER_MS + BigInt((match[2] ?? '').padEnd(9, '0'));
}

/** Docker's form: UTC, always nine decimals (`2026-01-02T03:04:05.000000006Z`). */
export function formatLogTime(time: string): string {
  const match = TIME.exec(time);
  if (!match) return time;
  const seconds = isUtc(match[3]) ? match[1] : toUtcSeconds(`${match[1]}${match[3]}`);
  return `${seconds}.${(match[2] ?? '').padEnd(9, '0')}Z`;
}

const isUtc = (zone: string | undefined): boolean => zone === 'Z' || zone === '+00:00';

const toUtcSeconds = (time: string): string => new Date(time).toISOString().slice(0, 19);
