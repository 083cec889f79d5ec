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
        return json(await dataUsage(backends, query.type ?? TYPES));
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
    ...(types.includes('volume') ? { VolumeUsage: volumeUsage(volumes, views) } : {}),
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
  const shared = images.sharedBytes?.() ?? new Map<string, number>();
  const items = images.list().map((image) =>
    summarizeImage(image, familiarName, {
      containers: views.filter(({ imageId }) => imageId === image.id).length,
      sharedBytes: shared.get(image.id) ?? 0,
    }),
  );
  // What images share counts once for each here, so the sum is an upper bound.
  return usageOf(
    items,
    items.filter(({ Containers }) => Containers > 0),
    ({ Size }) => Size,
  );
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

function volumeUsage(volumes: VolumeBackend, views: readonly ContainerView[]): DiskUsage<Volume> {
  const items = volumes.list().map((volume) => ({
    ...fromVolume(volume),
    UsageData: { Size: -1, RefCount: countUsers(volume.name, views) },
  }));
  return usageOf(
    items,
    items.filter(({ UsageData }) => UsageData.RefCount > 0),
    () => 0,
  );
}

const countUsers = (volume: string, views: readonly ContainerView[]): number =>
  views.filter(({ mounts }) => mounts.some(({ type, name }) => type === 'volume' && name === volume)).length;
