/** What an archive member is. Contiguous files count as files; GNU dump directories as directories. */
export type TarEntryType = 'file' | 'hardlink' | 'symlink' | 'character' | 'block' | 'directory' | 'fifo';

/** A stretch of a sparse file that holds data; everything else reads as zeros. */
export interface TarSegment {
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** Bytes. */
  readonly length: number;
}

/** The header of one archive member, extended headers (PAX, GNU long names) already applied. */
export interface TarHeader {
  /**
   * The name as the archive gives it: not cleaned, may be absolute or hold `..`. Bytes that are not UTF-8
   * appear as lone surrogates U+DC80 to U+DCFF and are written back as they were.
   */
  readonly path: string;
  readonly type: TarEntryType;
  /** Target of a symbolic or hard link, else empty. */
  readonly linkPath: string;
  /** Permission bits with setuid, setgid and sticky (0o7777). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly uname: string;
  readonly gname: string;
  /** Bytes of the file (of a sparse file with its holes); 0 for everything else. */
  readonly size: number;
  /** Nanoseconds since the epoch. */
  readonly mtimeNs: bigint;
  readonly atimeNs?: bigint;
  readonly devMajor: number;
  readonly devMinor: number;
  /** Extended attributes by their full name (`user.x`, `security.capability`). */
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Set for sparse files: the parts with data, ascending. */
  readonly sparse?: readonly TarSegment[];
}

/** Bounds on what a header may make the reader keep in memory. */
export interface TarLimits {
  /** Bytes of one PAX header, GNU long name or sparse map. Default 1 MiB. */
  readonly maxMetadataBytes?: number;
  /** Bytes of a name or link target. Default 4095 (PATH_MAX without its NUL). */
  readonly maxPathBytes?: number;
}
