import {
  MS_BIND,
  MS_DIRSYNC,
  MS_MANDLOCK,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REC,
  MS_RELATIME,
  MS_REMOUNT,
  MS_SHARED,
  MS_SLAVE,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
  MS_UNBINDABLE,
  PROPAGATION_FLAGS,
} from '#sys';

/** Options that set bits. */
const SETS: Readonly<Record<string, number>> = {
  ro: MS_RDONLY,
  nosuid: MS_NOSUID,
  nodev: MS_NODEV,
  noexec: MS_NOEXEC,
  sync: MS_SYNCHRONOUS,
  dirsync: MS_DIRSYNC,
  remount: MS_REMOUNT,
  mand: MS_MANDLOCK,
  noatime: MS_NOATIME,
  nodiratime: MS_NODIRATIME,
  relatime: MS_RELATIME,
  strictatime: MS_STRICTATIME,
  bind: MS_BIND,
  rbind: MS_BIND | MS_REC,
  ...PROPAGATION_FLAGS,
  runbindable: MS_UNBINDABLE | MS_REC,
};

/** Options that take back what an earlier one has set. */
const CLEARS: Readonly<Record<string, number>> = {
  rw: MS_RDONLY,
  suid: MS_NOSUID,
  dev: MS_NODEV,
  exec: MS_NOEXEC,
  async: MS_SYNCHRONOUS,
  nomand: MS_MANDLOCK,
  atime: MS_NOATIME,
  diratime: MS_NODIRATIME,
  norelatime: MS_RELATIME,
  nostrictatime: MS_STRICTATIME,
};

/** How a mount passes on what is mounted below it. */
export const PROPAGATION = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

/** `MS_*` bits, and what the file system itself is to read. */
export interface MountFlags {
  readonly flags: number;
  readonly data: string;
}

/**
 * Takes an option list as in fstab apart: what is no flag of mount(2) is for the file system. `ro,size=1m` → bit 1 and
 * `size=1m`. `defaults` goes to the file system, as docker has it. Source: moby/sys `mount/flags_unix.go`.
 */
export function parseMountFlags(options: string): MountFlags {
  let flags = 0;
  const data: string[] = [];
  for (const option of options.split(',')) {
    if (Object.hasOwn(SETS, option)) flags |= SETS[option] ?? 0;
    else if (Object.hasOwn(CLEARS, option)) flags &= ~(CLEARS[option] ?? 0);
    else data.push(option);
  }
  return { flags, data: data.join(',') };
}
