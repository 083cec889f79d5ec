import { brokenArchive } from './errors.ts';
import { decodeName } from './names.ts';
import { parseNumber } from './numbers.ts';

export const BLOCK_SIZE = 512;

/** A header block as it stands, before extended headers are applied. */
export interface RawHeader {
  /** The type flag as a character; `0` for the old NUL. */
  readonly typeflag: string;
  readonly path: string;
  readonly linkPath: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds since the epoch. */
  readonly mtime: number;
  readonly uname: string;
  readonly gname: string;
  readonly devMajor: number;
  readonly devMinor: number;
}

const CHECKSUM_OFFSET = 148;
const CHECKSUM_END = 156;
const SPACE = 0x20;

export function isZeroBlock(block: Uint8Array): boolean {
  // A header never starts with a NUL name and a NUL checksum at once, so most blocks are settled here.
  if (block[0] !== 0 || block[CHECKSUM_OFFSET] !== 0) return false;
  return block.every((byte) => byte === 0);
}

/** @throws `invalid_argument` when the checksum or a field is wrong. */
export function decodeHeader(block: Uint8Array): RawHeader {
  verifyChecksum(block);
  const format = formatOf(block);
  const hasOwnerNames = format !== 'v7';
  return {
    typeflag: block[156] === 0 ? '0' : String.fromCharCode(block[156] ?? 0),
    path: pathOf(block, format),
    linkPath: text(block, 157, 100),
    mode: parseNumber(block, 100, 8) & 0o7777,
    uid: parseNumber(block, 108, 8),
    gid: parseNumber(block, 116, 8),
    size: parseNumber(block, 124, 12),
    mtime: parseNumber(block, 136, 12),
    uname: hasOwnerNames ? text(block, 265, 32) : '',
    gname: hasOwnerNames ? text(block, 297, 32) : '',
    devMajor: hasOwnerNames ? parseNumber(block, 329, 8) : 0,
    devMinor: hasOwnerNames ? parseNumber(block, 337, 8) : 0,
  };
}

type Format = 'v7' | 'ustar' | 'star' | 'gnu';

function formatOf(block: Uint8Array): Format {
  const magic = latin1(block, 257, 8);
  if (magic === 'ustar  \0') return 'gnu';
  if (!magic.startsWith('ustar')) return 'v7';
  return latin1(block, 508, 4) === 'tar\0' ? 'star' : 'ustar';
}

const PREFIX_LENGTH = { v7: 0, gnu: 0, ustar: 155, star: 131 } as const satisfies Record<Format, number>;

function pathOf(block: Uint8Array, format: Format): string {
  const name = text(block, 0, 100);
  const prefix = text(block, 345, PREFIX_LENGTH[format]);
  return prefix ? `${prefix}/${name}` : name;
}

function verifyChecksum(block: Uint8Array): void {
  let unsigned = SPACE * (CHECKSUM_END - CHECKSUM_OFFSET);
  let signed = unsigned;
  for (let at = 0; at < BLOCK_SIZE; at += 1) {
    if (at === CHECKSUM_OFFSET) at = CHECKSUM_END;
    const byte = block[at] ?? 0;
    unsigned += byte;
    signed += byte < 0x80 ? byte : byte - 0x100;
  }
  const stored = parseNumber(block, CHECKSUM_OFFSET, CHECKSUM_END - CHECKSUM_OFFSET);
  // Old Sun archives summed signed bytes.
  if (stored !== unsigned && stored !== signed) throw brokenArchive('header checksum does not match');
}

function text(block: Uint8Array, offset: number, length: number): string {
  let end = offset;
  while (end < offset + length && block[end] !== 0) end += 1;
  return end === offset ? '' : decodeName(block.subarray(offset, end));
}

function latin1(block: Uint8Array, offset: number, length: number): string {
  return String.fromCharCode(...block.subarray(offset, offset + length));
}
