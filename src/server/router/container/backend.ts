import type { ContainerService, ContainerView } from '#containers';

/** What the container routes need: the service without what only the daemon's start and stop use. */
export type ContainerBackend = Omit<ContainerService, 'restore' | 'shutdown' | 'counts' | 'usersOf'>;

/** What other rooms know about a container's references. */
export interface ContainerReferences {
  /** ID of a network by its name; undefined when it is gone. */
  networkId(name: string): string | undefined;
  /** Whether a name still means this image. */
  meansImage(name: string, imageId: ContainerView['imageId']): boolean;
}
