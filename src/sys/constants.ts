/**
 * Kernel constants that Node's `fs.constants` lacks. Those without a note are the same on all architectures.
 */
import { constants } from 'node:fs';

/** mount(2) flags. */
export const MS_RDONLY = 0x1;
export const MS_NOSUID = 0x2;
export const MS_NODEV = 0x4;
export const MS_NOEXEC = 0x8;
export const MS_SYNCHRONOUS = 0x10;
export const MS_REMOUNT = 0x20;
export const MS_MANDLOCK = 0x40;
export const MS_DIRSYNC = 0x80;
export const MS_NOATIME = 0x400;
export const MS_NODIRATIME = 0x800;
export const MS_BIND = 0x1000;
export const MS_REC = 0x4000;
export const MS_UNBINDABLE = 0x2_0000;
export const MS_PRIVATE = 0x4_0000;
export const MS_SLAVE = 0x8_0000;
export const MS_SHARED = 0x10_0000;
export const MS_RELATIME = 0x20_0000;
export const MS_STRICTATIME = 0x100_0000;

/** umount2(2) flags. */
export const MNT_DETACH = 2;
export const UMOUNT_NOFOLLOW = 8;

/** open(2) flags that Node lacks. */
export const O_CLOEXEC = 0x8_0000;
export const O_PATH = 0x20_0000;
/** Contains O_DIRECTORY, whose bit differs between x86_64 and arm64. */
export const O_TMPFILE = 0x40_0000 | constants.O_DIRECTORY;

/** File type bits of a mode (inode(7)). */
export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_ISVTX = 0o1000;

/** `*at` calls. */
export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
export const AT_EMPTY_PATH = 0x1000;
export const AT_RECURSIVE = 0x8000;

/** openat2(2) resolve flags. */
export const RESOLVE_NO_MAGICLINKS = 0x02;
export const RESOLVE_NO_SYMLINKS = 0x04;
export const RESOLVE_IN_ROOT = 0x10;

/** Namespaces of unshare(2) and setns(2). */
export const CLONE_FS = 0x0000_0200;
export const CLONE_NEWNS = 0x0002_0000;
export const CLONE_NEWNET = 0x4000_0000;

/** The value of an unlimited resource limit (getrlimit(2)). */
export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;
