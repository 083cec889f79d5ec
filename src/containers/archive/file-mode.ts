import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
  S_ISGID,
  S_ISUID,
  S_ISVTX,
} from '#sys';

/** Bits of Go's `os.FileMode`, in which PathStat has the mode. Source: Go, io/fs, FileMode. */
const GO_TYPES: Readonly<Record<number, number>> = {
  [S_IFREG]: 0,
  [S_IFDIR]: 0x8000_0000,
  [S_IFLNK]: 0x0800_0000,
  [S_IFBLK]: 0x0400_0000,
  // Go marks a character device by two bits.
  [S_IFCHR]: 0x0420_0000,
  [S_IFIFO]: 0x0200_0000,
  [S_IFSOCK]: 0x0100_0000,
};
const GO_IRREGULAR = 0x0008_0000;
const GO_SPECIAL = [
  [S_ISUID, 0x0080_0000],
  [S_ISGID, 0x0040_0000],
  [S_ISVTX, 0x0010_0000],
] as const;

/** A Linux mode with its type bits as Go's `os.FileMode`, an unsigned 32-bit number. */
export function goFileMode(mode: number): number {
  let bits = (mode & 0o777) | (GO_TYPES[mode & S_IFMT] ?? GO_IRREGULAR);
  for (const [linux, go] of GO_SPECIAL) if ((mode & linux) !== 0) bits |= go;
  return bits >>> 0;
}
