import type {
  ContainersPruneResponse,
  ImagesPruneResponse,
  NetworksPruneResponse,
  VolumesPruneResponse,
} from '#api';
import { formatBytes } from '#base';

/** What one kind of pruning did: the list to show (empty when nothing was removed) and the bytes it freed. */
export interface Pruned {
  readonly list: string;
  readonly reclaimedBytes: number;
}

function pruned(title: string, names: readonly string[], reclaimedBytes = 0): Pruned {
  const list = names.length > 0 ? `${title}:\n${names.map((name) => `${name}\n`).join('')}\n` : '';
  return { list, reclaimedBytes };
}

export const prunedContainers = (result: ContainersPruneResponse): Pruned =>
  pruned('Deleted Containers', result.ContainersDeleted ?? [], result.SpaceReclaimed);

export const prunedVolumes = (result: VolumesPruneResponse): Pruned =>
  pruned('Deleted Volumes', result.VolumesDeleted ?? [], result.SpaceReclaimed);

export const prunedNetworks = (result: NetworksPruneResponse): Pruned =>
  pruned('Deleted Networks', result.NetworksDeleted ?? []);

export const prunedImages = (result: ImagesPruneResponse): Pruned =>
  pruned(
    'Deleted Images',
    (result.ImagesDeleted ?? []).map(({ Untagged, Deleted }) =>
      Untagged ? `untagged: ${Untagged}` : `deleted: ${Deleted}`,
    ),
    result.SpaceReclaimed,
  );

export const prunedBuildCache = (result: {
  readonly CachesDeleted?: readonly string[] | null;
  readonly SpaceReclaimed: number;
}): Pruned => pruned('Deleted build cache objects', result.CachesDeleted ?? [], result.SpaceReclaimed);

/** The last line of every prune command. */
export const totalReclaimed = (bytes: number): string => `Total reclaimed space: ${formatBytes(bytes)}\n`;
