import type { NetworkService } from '#network';

export type NetworkBackend = Pick<NetworkService, 'list' | 'get' | 'create' | 'remove' | 'endpointsOf'> & {
  /** The container's name; undefined when it is gone. */
  containerName(containerId: string): string | undefined;
  /** @throws `not_found` for the container, then as {@link NetworkService.connect}. */
  connect(network: string, container: string): void;
  disconnect(network: string, container: string): void;
};
