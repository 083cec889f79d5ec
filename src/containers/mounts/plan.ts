import { normalize } from 'node:path';
import { invalidArgument } from '#base';
import type { Container, ContainerConfig, HostConfig, MountPoint, MountRequest } from '../model.ts';
import { isInheritedMode, parseBind } from './bind-notation.ts';
import { bindPropagation } from './propagation.ts';
import { checkTarget } from './request.ts';
import { tmpfsMountOptions, tmpfsRequestOptions } from './tmpfs-options.ts';

/** A mount that is to be: volumes have no `source` yet, and no `name` when they are to be anonymous. */
export interface PlannedMount extends MountPoint {
  readonly volumeLabels?: Readonly<Record<string, string>>;
  readonly volumeOptions?: Readonly<Record<string, string>>;
}

export interface PlanContext {
  readonly resolve: (ref: string) => Container;
  readonly dataRoot: string;
  /** Read-only binds do not reach what is mounted below their sources (API before 1.44). */
  readonly readOnlyNonRecursive: boolean;
}

/** Cleans `/a/../b/` to `/b`. */
const cleanPath = (path: string): string => normalize(path).replace(/(?!^)\/+$/, '');

/**
 * All mounts of a container, each destination once. Order of precedence as in docker: `-v` and `--mount` (which
 * may not clash), then `--volumes-from`, then volumes of image and config, where nothing else is mounted.
 * @throws `invalid_argument` (`Duplicate mount point: /x`, …), `not_found` for an unknown container.
 */
export function planMounts(config: ContainerConfig, host: HostConfig, context: PlanContext): PlannedMount[] {
  const planned = new Map<string, PlannedMount>();
  for (const entry of host.volumesFrom) {
    for (const mount of inheritedMounts(entry, context.resolve)) planned.set(mount.destination, mount);
  }
  const tmpfs = tmpfsDestinations(host);
  const own = [
    ...host.binds.map((text) => fromBind(text, host.volumeDriver, context)),
    ...host.mounts.map((request) => fromRequest(request, context)),
  ];
  const seen = new Set(tmpfs);
  for (const mount of own) {
    if (seen.has(mount.destination)) throw invalidArgument(`Duplicate mount point: ${mount.destination}`);
    seen.add(mount.destination);
    planned.set(mount.destination, mount);
  }
  for (const mount of config.volumes.map(fromVolume)) {
    if (!planned.has(mount.destination) && !tmpfs.has(mount.destination)) {
      planned.set(mount.destination, mount);
    }
  }
  return [...planned.values()];
}

function tmpfsDestinations(host: HostConfig): Set<string> {
  const entries = Object.entries(host.tmpfs);
  for (const [target, options] of entries) {
    checkTarget(target, (reason) => {
      throw invalidArgument(reason);
    });
    tmpfsMountOptions(options);
  }
  return new Set(entries.map(([target]) => cleanPath(target)));
}

function inheritedMounts(entry: string, resolve: (ref: string) => Container): PlannedMount[] {
  const [ref = '', mode = ''] = entry.split(':', 2);
  if (ref === '') throw invalidArgument('volumes-from specification cannot be an empty string');
  if (!isInheritedMode(mode)) throw invalidArgument(`invalid mode: ${mode}`);
  return resolve(ref).mounts.map((mount) => ({
    ...mount,
    rw: mount.rw && !mode.split(',').includes('ro'),
    mode: mode || mount.mode,
    noCopy: true,
  }));
}

const VOLUME = { type: 'volume', source: '', driver: 'local', propagation: '' } as const;

function fromBind(text: string, volumeDriver: string, context: PlanContext): PlannedMount {
  const bind = parseBind(text);
  const common = { destination: cleanPath(bind.destination), mode: bind.mode, rw: !bind.readOnly };
  if (bind.kind === 'volume') {
    return {
      ...VOLUME,
      ...common,
      // Volumes are for all containers that mount them, unless the user says otherwise.
      mode: bind.mode || (['', 'local'].includes(volumeDriver) ? 'z' : ''),
      name: bind.source,
      driver: volumeDriver || 'local',
      ...(bind.noCopy ? { noCopy: true } : {}),
    };
  }
  return {
    ...common,
    type: 'bind',
    name: '',
    driver: '',
    source: cleanPath(bind.source),
    ...bindPropagation(cleanPath(bind.source), bind.propagation, context.dataRoot),
    ...(bind.readOnly && context.readOnlyNonRecursive ? { readOnlyNonRecursive: true } : {}),
    createSource: true,
  };
}

function fromRequest(request: MountRequest, context: PlanContext): PlannedMount {
  const common = { destination: cleanPath(request.target), mode: '', rw: !request.readOnly };
  if (request.type === 'bind') return { ...common, ...bindFields(request, context) };
  if (request.type === 'tmpfs') {
    const tmpfsOptions = tmpfsRequestOptions(request);
    return { ...common, type: 'tmpfs', name: '', driver: '', source: '', propagation: '', tmpfsOptions };
  }
  if (request.type === 'image') return { ...common, ...imageFields(request) };
  const options = request.volumeOptions ?? {};
  return {
    ...VOLUME,
    ...common,
    mode: 'z',
    name: request.source,
    driver: options.driverName || 'local',
    ...(options.noCopy ? { noCopy: true } : {}),
    ...(options.subpath ? { subpath: options.subpath } : {}),
    ...(options.labels ? { volumeLabels: options.labels } : {}),
    ...(options.driverOptions ? { volumeOptions: options.driverOptions } : {}),
  };
}

function imageFields({ source, imageOptions }: MountRequest) {
  return {
    type: 'image',
    name: source,
    driver: '',
    source: '',
    rw: false,
    propagation: 'rprivate',
    ...(imageOptions?.subpath ? { subpath: imageOptions.subpath } : {}),
  } as const;
}

function bindFields({ source, readOnly, bindOptions = {} }: MountRequest, context: PlanContext) {
  const isShallow = bindOptions.readOnlyNonRecursive || (readOnly && context.readOnlyNonRecursive);
  return {
    type: 'bind',
    name: '',
    driver: '',
    source: cleanPath(source),
    ...bindPropagation(cleanPath(source), bindOptions.propagation ?? '', context.dataRoot),
    ...(bindOptions.nonRecursive ? { nonRecursive: true } : {}),
    ...(isShallow ? { readOnlyNonRecursive: true } : {}),
    ...(bindOptions.readOnlyForceRecursive ? { readOnlyForceRecursive: true } : {}),
    ...(bindOptions.createMountpoint ? { createSource: true } : {}),
  } as const;
}

function fromVolume(text: string): PlannedMount {
  checkTarget(text, (reason) => {
    throw invalidArgument(`invalid volume specification: '${text}': ${reason}`);
  });
  return { ...VOLUME, name: '', destination: cleanPath(text), mode: '', rw: true };
}
