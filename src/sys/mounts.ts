import { closeSync } from 'node:fs';
import {
  AT_FDCWD,
  MNT_DETACH,
  MS_PRIVATE,
  MS_REC,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
  UMOUNT_NOFOLLOW,
} from './constants.ts';
import { check, libc } from './ffi.ts';
import { attachMount, cloneTree, makeReadonly, makeShared, makeSlave } from './mount-context.ts';
import { readMountInfo } from './mountinfo.ts';
import { OverlayMounter } from './overlay.ts';
import { cString, pathArgument } from './path-bytes.ts';
import { holderAt } from './stat.ts';
import type { Mounts, Propagation } from './types.ts';

type MountOptions = Parameters<Mounts['mount']>[0];

/** How mount(2) is told what a mount shares with its copies. */
export const PROPAGATION_FLAGS = {
  private: MS_PRIVATE,
  rprivate: MS_PRIVATE | MS_REC,
  shared: MS_SHARED,
  rshared: MS_SHARED | MS_REC,
  slave: MS_SLAVE,
  rslave: MS_SLAVE | MS_REC,
  unbindable: MS_UNBINDABLE,
} as const satisfies Record<Propagation, number>;

/** Mount operations of the calling thread's mount namespace. */
export function createMounts(): Mounts {
  const overlays = new OverlayMounter();
  return {
    mountOverlay: (options) => overlays.mount(options),
    mount: mountClassic,
    bind: (source, target, options = {}) => {
      const fd = cloneTree(source, options);
      try {
        // Before it is attached, so that it is never seen writable.
        if (options.readonly === true) makeReadonly(fd, options);
        if (options.slave === true) makeSlave(fd, options);
        if (options.shared === true) makeShared(fd);
        attachMount(fd, target);
      } finally {
        closeSync(fd);
      }
    },
    clone: cloneTree,
    attach: attachMount,
    idOf: (path) => holderAt(AT_FDCWD, pathArgument(path, 'statx'), 0, path).mountId,
    setPropagation: (target, propagation) => {
      mountClassic({ target, flags: PROPAGATION_FLAGS[propagation] });
    },
    unmount: (target, options = {}) => {
      const flags = UMOUNT_NOFOLLOW | (options.detach === true ? MNT_DETACH : 0);
      check(libc().umount2(pathArgument(target, 'umount2'), flags), 'umount2', 'target', target);
    },
    list: readMountInfo,
  };
}

function mountClassic(options: MountOptions): void {
  const text = (value: string | undefined) => (value === undefined ? null : cString(value, 'mount').bytes);
  const result = libc().mount(
    text(options.source),
    text(options.target),
    text(options.fstype),
    options.flags ?? 0,
    text(options.data),
  );
  check(result, 'mount', 'target', options.target);
}
