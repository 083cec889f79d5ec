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
import type { Fd, Mounts } from './types.ts';
import { MappingDescriptors } from './user-namespace.ts';

type OverlayOptions = Parameters<Mounts['mountOverlay']>[0];

/** The kernel copies a page of options of mount(2), NUL included. */
const MAX_DATA_BYTES = 4095;

/** Mounts overlays in the calling thread's mount namespace. */
export class OverlayMounter {
  readonly #descriptors = new MappingDescriptors();
  #takesSingleLayers: boolean | undefined;

  /** Default: the kernel is asked at the first mount. Tests give the other answer. */
  constructor(options: { readonly takesSingleLayers?: boolean } = {}) {
    this.#takesSingleLayers = options.takesSingleLayers;
  }

  mount(options: OverlayOptions): void {
    this.#takesSingleLayers ??= takesSingleLayers();
    if (this.#takesSingleLayers) mountByContext(options, this.#descriptors);
    else mountByOptions(options);
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

function mountByContext(options: OverlayOptions, descriptors: MappingDescriptors): void {
  using parameters = new DirectoryParameters();
  using context = new FilesystemContext('overlay');
  context.setString('source', 'overlay');
  const { lowerMappings } = options;
  for (const lower of lowerDirectories(options)) {
    if (lowerMappings) setMapped(context, parameters.mapped(lower, descriptors.of(lowerMappings)));
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
    if (options.upperdir !== undefined) requireWritable(fd, options.target);
    attachMount(fd, options.target);
  } finally {
    closeSync(fd);
  }
}

function setMapped(context: FilesystemContext, fd: Fd): void {
  try {
    context.setFd('lowerdir+', fd);
  } catch (error) {
    throw errnoCode(error) === 'EINVAL' ? mappingUnsupported() : error;
  }
}

const mappingUnsupported = (): SysError =>
  new SysError('EOPNOTSUPP', 'mount', 'an overlay of mapped layers (user namespaces) needs Linux 6.13');

/** The kernel falls back to read-only when it cannot use the upper directory, and says so only in its log. */
function requireWritable(mount: Fd, target: string): void {
  if (isReadonly(mount)) throw new SysError('EROFS', 'mount', `overlay target ${JSON.stringify(target)}`);
}

/** All directories in one text. Where they do not fit by name they do as descriptors: the kernel allows 500 layers. */
function mountByOptions(options: OverlayOptions): void {
  if (options.lowerMappings) throw mappingUnsupported();
  using parameters = new DirectoryParameters();
  const named = optionText(options, (path) => parameters.value(path));
  const fits = Buffer.byteLength(named) <= MAX_DATA_BYTES;
  const text = fits ? named : optionText(options, (path) => parameters.descriptor(path));
  const bytes = (value: string): Uint8Array => cString(value, 'mount').bytes;
  const { target } = options;
  const flags = options.upperdir === undefined ? MS_RDONLY : 0;
  const result = libc().mount(bytes('overlay'), bytes(target), bytes('overlay'), flags, bytes(text));
  if (result < 0) throw refusal(errno(), options, text);
  if (options.upperdir !== undefined) refuseReadonly(target);
}

function optionText(options: OverlayOptions, value: (path: string) => string): string {
  const { upperdir, workdir } = options;
  const extra = Object.entries(options.options ?? {});
  return [
    `lowerdir=${lowerDirectories(options).map(value).join(':')}`,
    ...(upperdir === undefined ? [] : [`upperdir=${value(upperdir)}`]),
    ...(workdir === undefined ? [] : [`workdir=${value(workdir)}`]),
    ...extra.map(([key, setting]) => (setting === '' ? key : `${key}=${setting}`)),
  ].join(',');
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
