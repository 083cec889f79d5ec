import { invalidArgument } from '../errdefs.ts';
import { BLOCK_SIZE } from './header.ts';
import { encodeName } from './names.ts';
import { formatPaxTime, wholeSeconds } from './numbers.ts';
import { paddingOf } from './parser.ts';
import { formatPaxRecord } from './pax.ts';
import type { TarEntryType, TarHeader } from './types.ts';

/** What a member needs to be written. Missing owner is root, missing time the epoch, missing mode 0644 or 0755. */
export type TarHeaderInit = Pick<TarHeader, 'path'> & Partial<Omit<TarHeader, 'sparse'>>;

const TYPEFLAGS = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
} as const satisfies Record<TarEntryType, string>;

const DEFAULTS = {
  type: 'file',
  linkPath: '',
  uid: 0,
  gid: 0,
  uname: '',
  gname: '',
  size: 0,
  mtimeNs: 0n,
  devMajor: 0,
  devMinor: 0,
  xattrs: new Map<string, Uint8Array>(),
} as const satisfies Partial<TarHeader>;

const NAME_LENGTH = 100;
const PREFIX_LENGTH = 155;
const OWNER_LENGTH = 31;
const MAX_OCTAL_7 = 0o7777777;
const MAX_OCTAL_11 = 0o77777777777;
const SLASH = 0x2f;

/**
 * The header blocks of one member: a ustar block, and a PAX header before it for what ustar cannot hold (long or
 * non-ASCII names, large numbers, fractions of a second, extended attributes).
 * Directory names get their trailing slash. @throws `invalid_argument` for NUL in names and negative sizes.
 */
export function encodeTarHeader(init: TarHeaderInit): Uint8Array {
  const header = { ...DEFAULTS, ...init };
  const { type, linkPath } = header;
  const path = type === 'directory' && !init.path.endsWith('/') ? `${init.path}/` : init.path;
  const size = type === 'file' ? header.size : 0;
  if (size < 0 || !Number.isSafeInteger(size)) throw invalidArgument(`cannot archive a size of ${size}`);
  const pax: Uint8Array[] = [];
  const block = Buffer.alloc(BLOCK_SIZE);
  putPath(block, path, pax);
  putLimited(block, 157, NAME_LENGTH, linkPath, 'linkpath', pax);
  putOctal(block, 100, 8, (header.mode ?? (type === 'directory' ? 0o755 : 0o644)) & 0o7777);
  putNumber(block, 108, 8, header.uid, 'uid', pax);
  putNumber(block, 116, 8, header.gid, 'gid', pax);
  putNumber(block, 124, 12, size, 'size', pax);
  putTime(block, header.mtimeNs, pax);
  if (header.atimeNs !== undefined) pax.push(record('atime', formatPaxTime(header.atimeNs)));
  putLimited(block, 265, OWNER_LENGTH, header.uname, 'uname', pax);
  putLimited(block, 297, OWNER_LENGTH, header.gname, 'gname', pax);
  putOctal(block, 329, 8, header.devMajor);
  putOctal(block, 337, 8, header.devMinor);
  for (const [name, value] of header.xattrs) pax.push(formatPaxRecord(`SCHILY.xattr.${name}`, value));
  seal(block, TYPEFLAGS[type]);
  return pax.length === 0 ? block : Buffer.concat([paxBlocks(path, Buffer.concat(pax)), block]);
}

/** Two zero blocks: the end mark. */
export const tarEnd = (): Uint8Array => new Uint8Array(2 * BLOCK_SIZE);

/** Zeros that fill a body of `size` bytes up to whole blocks. */
export const tarPadding = (size: number): Uint8Array => new Uint8Array(paddingOf(size));

const record = (key: string, value: string): Uint8Array => formatPaxRecord(key, encodeName(value));
const isAscii = (bytes: Uint8Array): boolean => bytes.every((byte) => byte < 0x80);

function checkedName(name: string): Uint8Array {
  if (name.includes('\0')) throw invalidArgument('cannot archive a name with NUL in it');
  return encodeName(name);
}

function putPath(block: Buffer, path: string, pax: Uint8Array[]): void {
  const bytes = checkedName(path);
  const split = bytes.length <= NAME_LENGTH ? 0 : prefixLength(bytes);
  if (split !== undefined && isAscii(bytes)) {
    block.set(split === 0 ? bytes : bytes.subarray(split + 1), 0);
    block.set(bytes.subarray(0, split), 345);
    return;
  }
  pax.push(formatPaxRecord('path', bytes));
  block.set(bytes.subarray(0, NAME_LENGTH), 0);
}

/** Where to cut a long name into ustar's prefix and name; undefined when it does not fit. */
function prefixLength(bytes: Uint8Array): number | undefined {
  const last = Math.min(PREFIX_LENGTH, bytes.length - 2);
  const slash = bytes.lastIndexOf(SLASH, last);
  return slash > 0 && bytes.length - slash - 1 <= NAME_LENGTH ? slash : undefined;
}

function putLimited(
  block: Buffer,
  offset: number,
  length: number,
  text: string,
  key: string,
  pax: Uint8Array[],
): void {
  if (text === '') return;
  const bytes = checkedName(text);
  if (bytes.length > length || !isAscii(bytes)) pax.push(formatPaxRecord(key, bytes));
  block.set(bytes.subarray(0, length), offset);
}

function putOctal(block: Buffer, offset: number, length: number, value: number): void {
  block.write(value.toString(8).padStart(length - 1, '0'), offset, 'latin1');
}

function putNumber(
  block: Buffer,
  offset: number,
  length: 8 | 12,
  value: number,
  key: string,
  pax: Uint8Array[],
): void {
  const isSmall = value <= (length === 8 ? MAX_OCTAL_7 : MAX_OCTAL_11);
  if (!isSmall) pax.push(record(key, String(value)));
  putOctal(block, offset, length, isSmall ? value : 0);
}

function putTime(block: Buffer, mtimeNs: bigint, pax: Uint8Array[]): void {
  const seconds = wholeSeconds(mtimeNs);
  const fits = seconds >= 0n && seconds <= BigInt(MAX_OCTAL_11);
  if (!fits || mtimeNs % 1_000_000_000n !== 0n) pax.push(record('mtime', formatPaxTime(mtimeNs)));
  putOctal(block, 136, 12, fits ? Number(seconds) : 0);
}

function seal(block: Buffer, typeflag: string): void {
  block.write(`${typeflag}`, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.fill(0x20, 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
}

function paxBlocks(path: string, body: Uint8Array): Uint8Array {
  const block = Buffer.alloc(BLOCK_SIZE);
  const base = path.replace(/\/+$/, '').split('/').at(-1) ?? '';
  block.write(`PaxHeaders.0/${base.replace(/[^\x20-\x7e]/g, '_')}`.slice(0, NAME_LENGTH), 0, 'latin1');
  putOctal(block, 100, 8, 0o644);
  for (const offset of [108, 116, 329, 337]) putOctal(block, offset, 8, 0);
  putOctal(block, 124, 12, body.length);
  putOctal(block, 136, 12, 0);
  seal(block, 'x');
  return Buffer.concat([block, body, tarPadding(body.length)]);
}
