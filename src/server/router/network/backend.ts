import type { NetworkService } from '#network';

export type NetworkBackend = Pick<NetworkService, 'list' | 'get' | 'endpointsOf'> & {
  /** The container's name; undefined when it is gone. */
  containerName(containerId: string): string | undefined;
};
