import type { ContainerSummary, DiskUsage, ImageSummary, SystemDataUsage, Volume } from '#api';
import type { ContainerView } from '#containers';
import { summarizeContainer } from '../../convert/container.ts';
import { summarizeImage } from '../../convert/image.ts';
import { fromVolume } from '../../convert/volume.ts';
import { unknownUsageType } from '../../errors.ts';
import { flag, optionalTexts } from '../../http/query.ts';
import { json } from '../../http/reply.ts';
import type { ContainerBackend } from '../container/backend.ts';
import type { ImageBackend } from '../image/backend.ts';
import { familiarName } from '../image/input.ts';
import { sharedBytes } from '../image/shared-bytes.ts';
import { type Call, type Route, route } from '../route.ts';
import type { VolumeBackend } from '../volume/backend.ts';

const TYPES = ['container', 'image', 'volume', 'build-cache'] as const;

interface UsageBackends {
  readonly containers: ContainerBackend;
  readonly images: ImageBackend;
  readonly volumes: VolumeBackend;
}

export function usageRoutes(backends: UsageBackends): Route[] {
  return [
    route({
      name: 'SystemDataUsage',
      method: 'GET',
      path: '/system/df',
      summary: 'Disk usage.',
      params: { type: optionalTexts, verbose: flag },
      handle: async ({
        query,
      }: Call<{ type: readonly string[] | undefined; verbose: boolean }, undefined>) => {
        for (const type of query.type ?? []) {
          if (!(TYPES as readonly string[]).includes(type)) throw unknownUsageType(type);
        }
        const usage = await dataUsage(backends, query.type ?? TYPES);
        return json(query.verbose ? usage : withLists(usage));
      },
    }),
  ];
}

async function dataUsage(
  { containers, images, volumes }: UsageBackends,
  types: readonly string[],
): Promise<SystemDataUsage> {
  const views = containers.list({ all: true });
  return {
    ...(types.includes('image') ? { ImageUsage: imageUsage(images, views) } : {}),
    ...(types.includes('container') ? { ContainerUsage: await containerUsage(containers, views) } : {}),
    ...(types.includes('volume') ? { VolumeUsage: await volumeUsage(volumes, views) } : {}),
    ...(types.includes('build-cache') ? { BuildCacheUsage: usageOf<never>([], [], () => 0) } : {}),
  };
}

function usageOf<T>(items: readonly T[], active: readonly T[], size: (item: T) => number): DiskUsage<T> {
  const total = sum(items, size);
  return {
    ActiveCount: active.length,
    TotalCount: items.length,
    Reclaimable: total - sum(active, size),
    TotalSize: total,
    Items: items,
  };
}

const sum = <T>(items: readonly T[], size: (item: T) => number): number =>
  items.reduce((bytes, item) => bytes + size(item), 0);

function imageUsage(images: ImageBackend, views: readonly ContainerView[]): DiskUsage<ImageSummary> {
  const usage = images.diskUsage();
  const shared = sharedBytes(usage);
  const items = images.list().map((image) =>
    summarizeImage(image, familiarName, {
      containers: views.filter(({ imageId }) => imageId === image.id).length,
      sharedBytes: shared.get(image.id) ?? 0,
    }),
  );
  const active = items.filter(({ Containers }) => Containers > 0);
  const used = sum(active, ({ Size, SharedSize }) => Size - SharedSize);
  return {
    ActiveCount: active.length,
    TotalCount: items.length,
    Reclaimable: Math.max(0, usage.layersBytes - used),
    // Each layer counts once, however many images have it.
    TotalSize: usage.layersBytes,
    Items: items,
  };
}

async function containerUsage(
  containers: ContainerBackend,
  views: readonly ContainerView[],
): Promise<DiskUsage<ContainerSummary>> {
  const around = {
    networkIdOf: () => undefined,
    imageName: ({ config }: ContainerView) => config.image,
    nowMs: Date.now(),
  };
  const sizes = await Promise.all(views.map(({ id }) => containers.sizes(id)));
  const items = views.map((view, index) => summarizeContainer(view, around, sizes[index]));
  const running = items.filter(({ State }) => ['running', 'paused', 'restarting'].includes(State));
  return usageOf(items, running, ({ SizeRw }) => SizeRw ?? 0);
}

/** Docker's rule: volumes with options are left out. What they name is a share or a folder of the host, not ours to walk. */
async function volumeUsage(
  volumes: VolumeBackend,
  views: readonly ContainerView[],
): Promise<DiskUsage<Volume>> {
  const local = volumes.list().filter(({ options }) => Object.keys(options).length === 0);
  const items = await Promise.all(
    local.map(async (volume) => ({
      ...fromVolume(volume),
      // One that is removed at this moment: unknown.
      UsageData: {
        Size: await volumes.usage(volume.name).catch(() => -1),
        RefCount: countUsers(volume.name, views),
      },
    })),
  );
  return usageOf(
    items,
    items.filter(({ UsageData }) => UsageData.RefCount > 0),
    ({ UsageData }) => Math.max(0, UsageData.Size),
  );
}

/** Unless `verbose`, sums only, beside the lists of older versions: clients without a version (docker-py) read those. */
function withLists(usage: SystemDataUsage): SystemDataUsage {
  const { ImageUsage, ContainerUsage, VolumeUsage, BuildCacheUsage } = usage;
  const sums = Object.fromEntries(Object.entries(usage).map(([name, { Items: _, ...rest }]) => [name, rest]));
  return {
    ...(ImageUsage ? { LayersSize: ImageUsage.TotalSize, Images: ImageUsage.Items ?? [] } : {}),
    ...(ContainerUsage ? { Containers: ContainerUsage.Items ?? [] } : {}),
    ...(VolumeUsage ? { Volumes: VolumeUsage.Items ?? [] } : {}),
    ...(BuildCacheUsage ? { BuildCache: BuildCacheUsage.Items ?? [] } : {}),
    ...sums,
  };
}

const countUsers = (volume: string, views: readonly ContainerView[]): number =>
  views.filter(({ mounts }) => mounts.some(({ type, name }) => type === 'volume' && name === volume)).length;
