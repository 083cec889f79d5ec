import type { ContainerSummary, ImageSummary, SystemDataUsage, Volume } from '#api';
import { formatBytes } from '#base';
import { Struct } from '../template/values.ts';
import { CONTAINER_LAYOUT, containerRow } from './container.ts';
import { IMAGE_LAYOUT, imageLines, imageRow } from './image.ts';
import type { ListLayout } from './list.ts';
import { VOLUME_LAYOUT, volumeRow } from './volume.ts';

/** Columns of `system df`. */
export const DISK_USAGE_LAYOUT: ListLayout = {
  headers: { Type: 'TYPE', TotalCount: 'TOTAL', Active: 'ACTIVE', Size: 'SIZE', Reclaimable: 'RECLAIMABLE' },
  table: '{{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}',
  quiet: 'Type',
  failure: 'template parsing error',
};

interface Usage {
  readonly type: string;
  readonly total: number;
  readonly active: number;
  readonly sizeBytes: number;
  readonly reclaimableBytes: number;
  readonly showsShare: boolean;
}

const sum = <T>(items: readonly T[], size: (item: T) => number): number =>
  items.reduce((total, item) => total + size(item), 0);

const isActive = ({ State }: ContainerSummary): boolean => /running|paused|restarting/.test(State);

function imageUsage(images: readonly ImageSummary[], layersSize: number): Usage {
  const active = images.filter(({ Containers }) => Containers > 0);
  const used = sum(active, ({ Size, SharedSize }) =>
    Size === -1 || SharedSize === -1 ? 0 : Size - SharedSize,
  );
  return {
    type: 'Images',
    total: images.length,
    active: active.length,
    sizeBytes: layersSize,
    reclaimableBytes: Math.max(0, layersSize - used),
    showsShare: true,
  };
}

function containerUsage(containers: readonly ContainerSummary[]): Usage {
  const size = ({ SizeRw = 0 }: ContainerSummary) => SizeRw;
  return {
    type: 'Containers',
    total: containers.length,
    active: containers.filter(isActive).length,
    sizeBytes: sum(containers, size),
    reclaimableBytes: sum(
      containers.filter((container) => !isActive(container)),
      size,
    ),
    showsShare: true,
  };
}

function volumeUsage(volumes: readonly Volume[]): Usage {
  const size = ({ UsageData }: Volume) => Math.max(0, UsageData?.Size ?? 0);
  const unused = volumes.filter(({ UsageData }) => (UsageData?.RefCount ?? 0) === 0);
  return {
    type: 'Local Volumes',
    total: volumes.length,
    active: volumes.length - unused.length,
    sizeBytes: sum(volumes, size),
    reclaimableBytes: sum(unused, size),
    showsShare: true,
  };
}

/** What newer engines add up themselves. */
function fromTotals(
  type: string,
  usage: NonNullable<SystemDataUsage['VolumeUsage']> | SystemDataUsage['ImageUsage'],
): Usage | undefined {
  if (!usage) return undefined;
  return {
    type,
    total: usage.TotalCount ?? 0,
    active: usage.ActiveCount ?? 0,
    sizeBytes: usage.TotalSize ?? 0,
    reclaimableBytes: usage.Reclaimable ?? 0,
    showsShare: true,
  };
}

/** The four lines of `system df`, from engines of any age. */
export function usages(data: SystemDataUsage): Usage[] {
  const totals = (type: string, usage: unknown) => fromTotals(type, usage as SystemDataUsage['ImageUsage']);
  const cache = {
    type: 'Build Cache',
    total: 0,
    active: 0,
    sizeBytes: 0,
    reclaimableBytes: 0,
    showsShare: false,
  };
  return [
    totals('Images', data.ImageUsage) ?? imageUsage(data.Images ?? [], data.LayersSize ?? 0),
    totals('Containers', data.ContainerUsage) ?? containerUsage(data.Containers ?? []),
    totals('Local Volumes', data.VolumeUsage) ?? volumeUsage(data.Volumes ?? []),
    { ...(totals('Build Cache', data.BuildCacheUsage) ?? cache), showsShare: false },
  ];
}

/** One line as templates see it. */
export function usageRow({ type, total, active, sizeBytes, reclaimableBytes, showsShare }: Usage): Struct {
  const reclaimable = formatBytes(reclaimableBytes);
  const share = showsShare && sizeBytes > 0 ? ` (${Math.trunc((reclaimableBytes * 100) / sizeBytes)}%)` : '';
  return new Struct('*formatter.diskUsageImagesContext', {
    Type: () => type,
    TotalCount: () => String(total),
    Active: () => String(active),
    Size: () => formatBytes(sizeBytes),
    Reclaimable: () => `${reclaimable}${share}`,
  });
}

/** Columns of `system df --verbose`, by kind. */
export const IMAGE_DETAILS: ListLayout = {
  ...IMAGE_LAYOUT,
  table:
    '{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}',
};

export const CONTAINER_DETAILS: ListLayout = {
  ...CONTAINER_LAYOUT,
  table:
    '{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.RunningFor}}\t{{.Status}}\t{{.Names}}',
};

export const VOLUME_DETAILS: ListLayout = { ...VOLUME_LAYOUT, table: '{{.Name}}\t{{.Links}}\t{{.Size}}' };

export const BUILD_CACHE_DETAILS: ListLayout = {
  headers: {
    ID: 'CACHE ID',
    CacheType: 'CACHE TYPE',
    Size: 'SIZE',
    CreatedSince: 'CREATED',
    LastUsedSince: 'LAST USED',
    UsageCount: 'USAGE',
    Shared: 'SHARED',
  },
  table:
    '{{.ID}}\t{{.CacheType}}\t{{.Size}}\t{{.CreatedSince}}\t{{.LastUsedSince}}\t{{.UsageCount}}\t{{.Shared}}',
  quiet: 'ID',
};

/** Every object that takes space, as templates see it. */
export interface UsageDetails {
  readonly images: readonly Struct[];
  readonly containers: readonly Struct[];
  readonly volumes: readonly Struct[];
  readonly buildCache: readonly Struct[];
  readonly buildCacheBytes: number;
}

/** The objects behind {@link usages}. An image has one line, under its first name. */
export function diskUsageDetails(
  data: SystemDataUsage,
  options: { readonly truncate: boolean; readonly nowMs: number },
): UsageDetails {
  const images = data.Images ?? data.ImageUsage?.Items ?? [];
  const containers = data.Containers ?? data.ContainerUsage?.Items ?? [];
  const volumes = data.Volumes ?? data.VolumeUsage?.Items ?? [];
  return {
    images: images.flatMap((image) =>
      imageLines(image, false)
        .slice(0, 1)
        .map((line) => imageRow({ ...line, digest: '' }, options)),
    ),
    // The image's size is in the images' table.
    containers: containers.map((container) => containerRow({ ...container, SizeRootFs: 0 }, options)),
    volumes: volumes.map(volumeRow),
    buildCache: [],
    buildCacheBytes: data.BuildCacheUsage?.TotalSize ?? 0,
  };
}
