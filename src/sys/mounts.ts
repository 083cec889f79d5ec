import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import {
  MNT_DETACH,
  MS_PRIVATE,
  MS_REC,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
  O_CLOEXEC,
  O_PATH,
  UMOUNT_NOFOLLOW,
} from './constants.ts';
import { SysError } from './errors.ts';
import { check, libc } from './ffi.ts';
import {
  attachMount,
  cloneTree,
  FilesystemContext,
  isReadonly,
  MAX_PARAMETER_BYTES,
  makeReadonly,
  mapIds,
} from './mount-context.ts';
import { readMountInfo } from './mountinfo.ts';
import { cString, pathArgument } from './path-bytes.ts';
import type { Fd, Mounts, Propagation } from './types.ts';
import { MappingDescriptors } from './user-namespace.ts';

type OverlayOptions = Parameters<Mounts['mountOverlay']>[0];
type MountOptions = Parameters<Mounts['mount']>[0];

const PROPAGATION_FLAGS = {
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
  const descriptors = new MappingDescriptors();
  return {
    mountOverlay: (options) => mountOverlay(options, descriptors),
    mount: mountClassic,
    bind: (source, target, options = {}) => {
      const fd = cloneTree(source, options);
      try {
        // Before it is attached, so that it is never seen writable.
        if (options.readonly === true) makeReadonly(fd, options);
        attachMount(fd, target);
      } finally {
        closeSync(fd);
      }
    },
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

function mountOverlay(options: OverlayOptions, descriptors: MappingDescriptors): void {
  using parameters = new DirectoryParameters();
  using context = new FilesystemContext('overlay');
  context.setString('source', 'overlay');
  const { lowerMappings } = options;
  for (const lower of lowerDirectories(options)) {
    if (lowerMappings) context.setFd('lowerdir+', parameters.mapped(lower, descriptors.of(lowerMappings)));
    else context.setString('lowerdir+', parameters.value(lower));
  }
  if (options.upperdir !== undefined) context.setString('upperdir', parameters.value(options.upperdir));
  if (options.workdir !== undefined) context.setString('workdir', parameters.value(options.workdir));
  for (const [key, value] of Object.entries(options.options ?? {})) {
    if (value === '') context.setFlag(key);
    else context.setString(key, value);
  }
  const fd = context.mount();
  try {
    // The kernel falls back to read-only when it cannot use the upper directory, and says so only in its log.
    if (options.upperdir !== undefined && isReadonly(fd)) {
      throw new SysError('EROFS', 'mount', `overlay target ${JSON.stringify(options.target)}`);
    }
    attachMount(fd, options.target);
  } finally {
    closeSync(fd);
  }
}

/** The kernel wants two lower directories where there is no upper one: the empty target serves as the second. */
function lowerDirectories({ lowerdirs, upperdir, target }: OverlayOptions): readonly string[] {
  if (upperdir !== undefined || lowerdirs.length !== 1) return lowerdirs;
  if (readdirSync(target).length > 0) {
    throw new SysError('ENOTEMPTY', 'mount', `overlay target ${JSON.stringify(target)}`);
  }
  return [...lowerdirs, target];
}

/**
 * Directories as parameters: what is too long for the kernel's buffer or has characters with a meaning
 * is passed as a descriptor's path.
 */
class DirectoryParameters implements Disposable {
  readonly #fds: Fd[] = [];

  value(path: string): string {
    if (!/[\\,:"]/.test(path) && Buffer.byteLength(path) <= MAX_PARAMETER_BYTES && path.isWellFormed())
      return path;
    const fd = openSync(path, O_PATH | constants.O_DIRECTORY | O_CLOEXEC);
    this.#fds.push(fd);
    return `/proc/self/fd/${fd}`;
  }

  /** A detached mount with a mapping. It is dissolved when its descriptor closes, so not before the overlay is made. */
  mapped(path: string, userNamespace: Fd): Fd {
    const fd = cloneTree(path);
    this.#fds.push(fd);
    mapIds(fd, userNamespace);
    return fd;
  }

  [Symbol.dispose](): void {
    for (const fd of this.#fds) closeSync(fd);
  }
}
