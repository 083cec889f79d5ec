/** Overlay mounts: by descriptors where the kernel takes layers one by one, else by mount(2). */
import { closeSync, constants, existsSync, openSync, readdirSync } from 'node:fs';
import { errnoCode } from '#base';
import { MNT_DETACH, MS_RDONLY, O_CLOEXEC, O_PATH } from './constants.ts';
import { SysError } from './errors.ts';
import { errno, libc } from './ffi.ts';
import {
  attachMount,
  cloneTree,
  FilesystemContext,
  isReadonly,
  MAX_PARAMETER_BYTES,
  mapIds,
} from './mount-context.ts';
import { cString } from './path-bytes.ts';
import type { Fd, IdMappings, Mounts } from './types.ts';
import { MappingDescriptors } from './user-namespace.ts';

type OverlayOptions = Parameters<Mounts['mountOverlay']>[0];

/** The kernel copies a page of options of mount(2), NUL included. */
const MAX_DATA_BYTES = 4095;

/** Mounts overlays in the calling thread's mount namespace. */
export class OverlayMounter {
  readonly #descriptors = new MappingDescriptors();
  #takesSingleLayers: boolean | undefined;
  #takesDescriptors: boolean;

  /** Default: the kernel is asked at the first mount. Tests give the other answer. */
  constructor(options: { readonly takesSingleLayers?: boolean } = {}) {
    this.#takesSingleLayers = options.takesSingleLayers;
    this.#takesDescriptors = options.takesSingleLayers ?? true;
  }

  mount(options: OverlayOptions): void {
    this.#takesSingleLayers ??= takesSingleLayers();
    if (options.lowerMappings) this.#mountMapped(options, options.lowerMappings);
    else if (this.#takesSingleLayers) mountByContext(options, setNamed);
    else mountByOptions(options);
  }

  /** Linux 6.13 takes detached mounts as layers; before, a layer has to be attached somewhere while it is taken. */
  #mountMapped(options: OverlayOptions, mappings: IdMappings): void {
    const namespace = this.#descriptors.of(mappings);
    const setMapped: LayerSetter = (context, lower, parameters) => {
      const fd = parameters.mapped(lower, namespace);
      try {
        context.setFd('lowerdir+', fd);
      } catch (error) {
        this.#takesDescriptors = errnoCode(error) !== 'EINVAL';
        throw error;
      }
    };
    if (this.#takesSingleLayers && this.#takesDescriptors) {
      try {
        mountByContext(options, setMapped);
        return;
      } catch (error) {
        if (this.#takesDescriptors) throw error;
      }
    }
    mountAttached(options, namespace);
  }
}

/**
 * Whether `lowerdir+` exists (Linux 6.7). Before 6.5 the kernel takes any name and refuses it at the end; before 6.7 it
 * refuses this one.
 */
function takesSingleLayers(): boolean {
  using context = new FilesystemContext('overlay');
  const takes = (key: string): boolean => {
    try {
      context.setString(key, '/');
      return true;
    } catch (error) {
      if (errnoCode(error) === 'EINVAL') return false;
      throw error;
    }
  };
  return !takes('gantry-asks') && takes('lowerdir+');
}

type LayerSetter = (context: FilesystemContext, lower: string, parameters: DirectoryParameters) => void;

const setNamed: LayerSetter = (context, lower, parameters) =>
  context.setString('lowerdir+', parameters.value(lower));

function mountByContext(options: OverlayOptions, setLower: LayerSetter): void {
  using parameters = new DirectoryParameters();
  using context = new FilesystemContext('overlay');
  context.setString('source', 'overlay');
  for (const lower of lowerDirectories(options)) setLower(context, lower, parameters);
  if (options.upperdir !== undefined) context.setString('upperdir', parameters.value(options.upperdir));
  if (options.workdir !== undefined) context.setString('workdir', parameters.value(options.workdir));
  for (const [key, value] of Object.entries(options.options ?? {})) {
    if (value === '') context.setFlag(key);
    else context.setString(key, value);
  }
  const fd = context.mount();
  try {
    if (options.upperdir !== undefined) requireWritable(fd, options.target);
    attachMount(fd, options.target);
  } finally {
    closeSync(fd);
  }
}

/** The kernel falls back to read-only when it cannot use the upper directory, and says so only in its log. */
function requireWritable(mount: Fd, target: string): void {
  if (isReadonly(mount)) throw new SysError('EROFS', 'mount', `overlay target ${JSON.stringify(target)}`);
}

/** All directories in one text. Where they do not fit by name they do as descriptors: the kernel allows 500 layers. */
function mountByOptions(options: OverlayOptions): void {
  using parameters = new DirectoryParameters();
  const lowers = lowerDirectories(options);
  const named = optionText(options, lowers, (path) => parameters.value(path));
  const fits = Buffer.byteLength(named) <= MAX_DATA_BYTES;
  mountText(options, fits ? named : optionText(options, lowers, (path) => parameters.descriptor(path)));
}

/**
 * Mapped layers for kernels before 6.13, which take attached mounts only: they are stacked on the target while the
 * overlay is made, and nothing but the overlay is there in the end. Linux 5.19 is the first with such overlays.
 */
function mountAttached(options: OverlayOptions, namespace: Fd): void {
  using parameters = new DirectoryParameters();
  const { target } = options;
  const mapped = lowerDirectories(options).map((lower) => parameters.mapped(lower, namespace));
  let count = 0;
  let overlay: Fd | undefined;
  try {
    for (const fd of mapped) {
      attachMount(fd, target);
      count += 1;
    }
    const paths = mapped.map((fd) => `/proc/self/fd/${fd}`);
    mountText(
      options,
      optionText(options, paths, (path) => parameters.value(path)),
    );
    count += 1;
    overlay = cloneTree(target);
  } finally {
    for (; count > 0; count -= 1) libc().umount2(cString(target, 'umount2').bytes, MNT_DETACH);
  }
  try {
    attachMount(overlay, target);
  } finally {
    closeSync(overlay);
  }
}

function mountText(options: OverlayOptions, text: string): void {
  const bytes = (value: string): Uint8Array => cString(value, 'mount').bytes;
  const { target, upperdir } = options;
  const flags = upperdir === undefined ? MS_RDONLY : 0;
  const result = libc().mount(bytes('overlay'), bytes(target), bytes('overlay'), flags, bytes(text));
  if (result < 0) throw refusal(errno(), options, text);
  if (upperdir !== undefined) refuseReadonly(target);
}

function optionText(
  { upperdir, workdir, options = {} }: OverlayOptions,
  lowers: readonly string[],
  value: (path: string) => string,
): string {
  return [
    `lowerdir=${lowers.map(value).join(':')}`,
    ...(upperdir === undefined ? [] : [`upperdir=${value(upperdir)}`]),
    ...(workdir === undefined ? [] : [`workdir=${value(workdir)}`]),
    ...Object.entries(options).map(optionOf),
  ].join(',');
}

/** The kernel takes quotes off where a value may have commas: SELinux contexts. */
function optionOf([key, setting]: readonly [string, string]): string {
  if (setting === '') return key;
  return `${key}=${setting.includes(',') ? `"${setting}"` : setting}`;
}

/** The kernel names neither the directory that is missing nor the option that it does not know. */
function refusal(failed: number, options: OverlayOptions, text: string): SysError {
  const all = [...options.lowerdirs, options.upperdir, options.workdir, options.target];
  const missing = all.find((path) => path !== undefined && !existsSync(path));
  const subject = missing === undefined ? `${options.target} (${text})` : `directory ${missing}`;
  return new SysError(failed, 'mount', `overlay ${subject}`);
}

function refuseReadonly(target: string): void {
  const fd = openSync(target, O_PATH | constants.O_DIRECTORY | O_CLOEXEC);
  try {
    requireWritable(fd, target);
  } catch (error) {
    libc().umount2(cString(target, 'umount2').bytes, MNT_DETACH);
    throw error;
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
    const isPlain =
      !/[\\,:"]/.test(path) && Buffer.byteLength(path) <= MAX_PARAMETER_BYTES && path.isWellFormed();
    return isPlain ? path : this.descriptor(path);
  }

  descriptor(path: string): string {
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
