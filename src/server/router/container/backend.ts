import type { PathStat } from '#api';
import type { ContainerService, ContainerView } from '#containers';

export interface ArchiveOptions {
  readonly noOverwriteDirNonDir: boolean;
  readonly copyUidGid: boolean;
}

/** What the container routes need: the service without what only the daemon's start and stop use. */
export interface ContainerBackend
  extends Omit<ContainerService, 'restore' | 'shutdown' | 'counts' | 'usersOf'> {
  /** `docker cp`. Undefined: not offered yet. @throws `not_found` (`Could not find the file X in container Y`). */
  statPath?(ref: string, path: string): Promise<PathStat>;
  readArchive?(
    ref: string,
    path: string,
  ): Promise<{ readonly stat: PathStat; readonly tar: AsyncIterable<Uint8Array> }>;
  writeArchive?(
    ref: string,
    path: string,
    tar: AsyncIterable<Uint8Array>,
    options: ArchiveOptions,
  ): Promise<void>;
}

/** What other rooms know about a container's references. */
export interface ContainerReferences {
  /** ID of a network by its name; undefined when it is gone. */
  networkId(name: string): string | undefined;
  /** Whether a name still means this image. */
  meansImage(name: string, imageId: ContainerView['imageId']): boolean;
}
