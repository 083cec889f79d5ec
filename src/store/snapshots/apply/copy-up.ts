import { constants, readSync } from 'node:fs';
import { invalidArgument } from '#base';
import { type FdOps, type RootedDir, S_IFLNK, S_IFMT, S_IFREG } from '#sys';
import { copyMetadata } from '../file-metadata.ts';
import type { MergedEntry } from '../layer-chain.ts';

const COPY_BYTES = 1024 * 1024;

/**
 * Copies a file of a lower layer into this one, as overlayfs does when it is written to, so that it can be hard
 * linked here. @throws `invalid_argument` for what cannot be linked.
 */
export function copyUp(source: MergedEntry, path: string, target: RootedDir, fdOps: FdOps): void {
  const type = source.stat.mode & S_IFMT;
  if (type === S_IFREG) copyContent(source.root, path, target, fdOps);
  else if (type === S_IFLNK) target.symlink(source.root.readlink(path), path);
  else throw invalidArgument(`invalid layer: cannot link to '${path}' of a lower layer`);
  copyMetadata({ ...source, path }, { root: target, path });
  const { mtimeNs } = source.stat;
  target.lutimes(path, { atimeNs: mtimeNs, mtimeNs });
}

function copyContent(from: RootedDir, path: string, to: RootedDir, fdOps: FdOps): void {
  const source = from.open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const target = to.open(path, flags, 0o600);
    try {
      const buffer = new Uint8Array(COPY_BYTES);
      for (let length = readSync(source, buffer); length > 0; length = readSync(source, buffer))
        fdOps.write(target, buffer.subarray(0, length));
    } finally {
      fdOps.close(target);
    }
  } finally {
    fdOps.close(source);
  }
}
