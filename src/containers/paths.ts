import { join } from 'node:path';
import type { ContainerDefaults } from './defaults.ts';
import type { Container } from './model.ts';

/** Where a container's own files lie. Source: docker's layout, which `inspect` shows. */
export interface ContainerPaths {
  readonly directory: string;
  readonly hostname: string;
  readonly hosts: string;
  readonly resolvConf: string;
  readonly log: string;
  /** Mount point of the shared /dev/shm (`--ipc shareable`). */
  readonly shm: string;
}

export const containersDirectory = (dataRoot: string): string => join(dataRoot, 'containers');

export function containerPaths(dataRoot: string, id: string): ContainerPaths {
  const directory = join(containersDirectory(dataRoot), id);
  return {
    directory,
    hostname: join(directory, 'hostname'),
    hosts: join(directory, 'hosts'),
    resolvConf: join(directory, 'resolv.conf'),
    log: join(directory, `${id}-json.log`),
    shm: join(directory, 'mounts', 'shm'),
  };
}

/** The container's cgroup from the cgroup root on. A parent is always below the root, however it was written. */
export const cgroupPathOf = (
  { id, hostConfig }: Pick<Container, 'id' | 'hostConfig'>,
  defaults: Pick<ContainerDefaults, 'cgroupParent'>,
): string => join('/', hostConfig.cgroupParent || defaults.cgroupParent, id);
