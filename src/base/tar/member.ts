import { brokenArchive } from './errors.ts';
import type { RawHeader } from './header.ts';
import { decodeName } from './names.ts';
import { parseDecimal, parsePaxTime } from './numbers.ts';
import type { PaxRecords } from './pax.ts';
import { checkSegments, type GnuSparseMap, paxSparse } from './sparse.ts';
import type { TarEntryType, TarHeader } from './types.ts';

/** Extended headers that stood in front of a member. */
export interface Extensions {
  readonly global: PaxRecords;
  readonly pax: PaxRecords;
  readonly longPath: string | undefined;
  readonly longLink: string | undefined;
  readonly gnuSparse: GnuSparseMap | undefined;
}

/** A member ready to be read. */
export interface Member {
  readonly header: TarHeader;
  /** Bytes the archive holds for it, a leading sparse map included. */
  readonly storedSize: number;
  /** The data begins with a sparse map (GNU format 1.0). */
  readonly hasLeadingMap: boolean;
}

const TYPES: Readonly<Record<string, TarEntryType>> = {
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  D: 'directory',
  S: 'file',
};
/** Only these carry data; others may state a size that means nothing. */
const HAS_DATA = '07DS';
const XATTR_PREFIX = 'SCHILY.xattr.';
/** The highest id; one more is -1, which chown(2) takes for "leave as it is". */
const MAX_ID = 0xffff_fffe;
/** Records of a global header that make sense for many members. The rest is not kept. */
const GLOBAL_KEYS = new Set(['uid', 'gid', 'uname', 'gname', 'mtime', 'atime']);

/** The records of a global header that apply to later members. */
export const globalRecords = (records: PaxRecords): PaxRecords =>
  records.filter(([key]) => GLOBAL_KEYS.has(key));

/** Merges a header block with its extended headers. @throws `invalid_argument`. */
export function resolveMember(raw: RawHeader, extensions: Extensions, maxPathBytes: number): Member {
  const records = new Map([...extensions.global, ...extensions.pax]);
  const lookup = (key: string): string | undefined => {
    const value = records.get(key);
    return value === undefined || value.length === 0 ? undefined : plainText(key, value);
  };
  const sparse = sparseOf(raw, extensions, lookup);
  const path = extensions.longPath ?? sparse?.name ?? lookup('path') ?? raw.path;
  const linkPath = extensions.longLink ?? lookup('linkpath') ?? raw.linkPath;
  for (const text of [path, linkPath]) checkLength(text, maxPathBytes);
  const type = typeOf(raw.typeflag, path);
  const storedSize = HAS_DATA.includes(raw.typeflag) ? sizeOf(raw, lookup) : 0;
  const segments = sparse?.segments && checkSegments(sparse.segments, sparse.realSize, storedSize);
  const header: TarHeader = {
    path,
    type,
    linkPath,
    mode: raw.mode,
    ...ownerOf(raw, lookup),
    size: type === 'file' ? (sparse?.realSize ?? storedSize) : 0,
    ...timesOf(raw, lookup),
    devMajor: raw.devMajor,
    devMinor: raw.devMinor,
    xattrs: xattrsOf(extensions.pax),
    ...(segments ? { sparse: segments } : {}),
  };
  if (raw.devMajor < 0 || raw.devMinor < 0) throw brokenArchive('negative device number');
  return { header, storedSize, hasLeadingMap: sparse !== undefined && segments === undefined };
}

type Lookup = (key: string) => string | undefined;

function plainText(key: string, value: Uint8Array): string {
  if (value.includes(0)) throw brokenArchive(`NUL in '${key}'`);
  return decodeName(value);
}

function checkLength(text: string, maxBytes: number): void {
  if (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes) throw brokenArchive('name too long');
}

function typeOf(typeflag: string, path: string): TarEntryType {
  const type = TYPES[typeflag];
  if (type === undefined) throw brokenArchive(`unsupported entry type ${JSON.stringify(typeflag)}`);
  // Archives from before ustar mark directories by a slash only.
  return typeflag === '0' && path.endsWith('/') ? 'directory' : type;
}

function sizeOf(raw: RawHeader, lookup: Lookup): number {
  const size = parseOptional(lookup, 'size') ?? raw.size;
  if (size < 0) throw brokenArchive('negative size');
  return size;
}

function ownerOf(raw: RawHeader, lookup: Lookup): Pick<TarHeader, 'uid' | 'gid' | 'uname' | 'gname'> {
  const uid = parseOptional(lookup, 'uid') ?? raw.uid;
  const gid = parseOptional(lookup, 'gid') ?? raw.gid;
  for (const id of [uid, gid]) if (id < 0 || id > MAX_ID) throw brokenArchive('owner out of range');
  return { uid, gid, uname: lookup('uname') ?? raw.uname, gname: lookup('gname') ?? raw.gname };
}

function timesOf(raw: RawHeader, lookup: Lookup): Pick<TarHeader, 'mtimeNs' | 'atimeNs'> {
  const mtime = lookup('mtime');
  const atime = lookup('atime');
  return {
    mtimeNs: mtime === undefined ? BigInt(raw.mtime) * 1_000_000_000n : parsePaxTime(mtime),
    ...(atime === undefined ? {} : { atimeNs: parsePaxTime(atime) }),
  };
}

function parseOptional(lookup: Lookup, key: string): number | undefined {
  const text = lookup(key);
  return text === undefined ? undefined : parseDecimal(text, key);
}

const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();

function xattrsOf(records: PaxRecords): ReadonlyMap<string, Uint8Array> {
  const found = records.filter(([key]) => key.startsWith(XATTR_PREFIX));
  if (found.length === 0) return NO_XATTRS;
  return new Map(found.map(([key, value]) => [key.slice(XATTR_PREFIX.length), value]));
}

function sparseOf(
  raw: RawHeader,
  extensions: Extensions,
  lookup: Lookup,
): Pick<NonNullable<ReturnType<typeof paxSparse>>, 'name' | 'realSize' | 'segments'> | undefined {
  if (extensions.gnuSparse) {
    const { realSize, segments } = extensions.gnuSparse;
    return { name: undefined, realSize, segments };
  }
  return TYPES[raw.typeflag] === 'file' ? paxSparse(extensions.pax, lookup) : undefined;
}
