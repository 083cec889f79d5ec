import { fstatSync, lstatSync } from 'node:fs';
import type { DeviceNumber, FileStat } from '../types.ts';

/** What an unprivileged test cannot store in a file. */
export interface InodeRecord {
  uid?: number;
  gid?: number;
  /** Mode with type bits of a device node that is really an empty file. */
  mode?: number;
  rdev?: DeviceNumber;
  readonly xattrs: Map<string, Uint8Array>;
}

/** Ownership, device numbers and extended attributes of real files, by inode, kept beside the file system. */
export class InodeLedger {
  readonly #records = new Map<string, InodeRecord>();

  ofFd(fd: number): InodeRecord {
    const { dev, ino } = fstatSync(fd, { bigint: true });
    return this.#at(`${dev}:${ino}`);
  }

  ofPath(path: string): InodeRecord {
    const { dev, ino } = lstatSync(path, { bigint: true });
    return this.#at(`${dev}:${ino}`);
  }

  of(stat: FileStat): InodeRecord {
    return this.#at(keyOf(stat));
  }

  /** A new file may get the inode number of a removed one. */
  forget(stat: FileStat | undefined): void {
    if (stat !== undefined) this.#records.delete(keyOf(stat));
  }

  /** `stat` as if the recorded changes had been made. */
  applied(stat: FileStat): FileStat {
    const { uid, gid, mode, rdev } = this.of(stat);
    return {
      ...stat,
      uid: uid ?? stat.uid,
      gid: gid ?? stat.gid,
      mode: mode ?? stat.mode,
      rdev: rdev ?? stat.rdev,
    };
  }

  #at(key: string): InodeRecord {
    const known = this.#records.get(key);
    if (known !== undefined) return known;
    const record: InodeRecord = { xattrs: new Map() };
    this.#records.set(key, record);
    return record;
  }
}

/** dev_t as Node reports it. */
function keyOf({ dev, ino }: FileStat): string {
  const { major, minor } = dev;
  const number = (BigInt(major) << 8n) | (BigInt(minor) & 0xffn) | ((BigInt(minor) & ~0xffn) << 12n);
  return `${number}:${ino}`;
}
