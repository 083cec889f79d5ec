import type { ImageConfig, ImageHistoryResponseItem, ImageInspect, ImageSummary } from '#api';
import { ZERO_TIME } from '#api';
import type { ImageService, StoredImage } from '#images';
import { omitEmpty, omitEmptyObject, orNull } from './zero.ts';

export type FamiliarName = (canonical: string) => string;

export function fromImage(image: StoredImage, familiar: FamiliarName): ImageInspect {
  const { config } = image;
  return {
    Id: image.id,
    RepoTags: image.tags.map(familiar),
    RepoDigests: image.digests.map(familiar),
    ...omitEmpty('Comment', commentOf(image)),
    ...omitEmpty('Created', config.created),
    ...omitEmpty('Author', config.author),
    Config: fromImageConfig(config.config),
    Architecture: config.architecture,
    ...omitEmpty('Variant', config.variant),
    Os: config.os,
    ...omitEmpty('OsVersion', config['os.version']),
    Size: image.sizeBytes,
    // Layers are shared: an image has no directories of its own.
    GraphDriver: { Name: 'overlay2', Data: null },
    RootFS: {
      Type: config.rootfs.type,
      ...omitEmptyObject('Layers', config.rootfs.diff_ids),
    },
    Metadata: { LastTagTime: image.lastTagTime ?? ZERO_TIME },
    ...(image.manifest ? { Descriptor: image.manifest } : {}),
    ...omitEmpty('Parent', image.parent),
    ...omitEmpty('DockerVersion', config.docker_version),
  };
}

function commentOf({ config }: StoredImage): string | undefined {
  return config.comment ?? config.history?.at(-1)?.comment;
}

function fromImageConfig(config: StoredImage['config']['config']): ImageConfig | null {
  if (!config) return null;
  return {
    ...omitEmpty('User', config.User),
    ...omitEmptyObject('ExposedPorts', config.ExposedPorts as ImageConfig['ExposedPorts'] & object),
    ...omitEmptyObject('Env', config.Env),
    ...omitEmptyObject('Entrypoint', config.Entrypoint ?? undefined),
    ...omitEmptyObject('Cmd', config.Cmd ?? undefined),
    ...omitEmptyObject('Volumes', config.Volumes as ImageConfig['Volumes'] & object),
    ...omitEmpty('WorkingDir', config.WorkingDir),
    ...omitEmptyObject('Labels', config.Labels ?? undefined),
    ...omitEmpty('StopSignal', config.StopSignal),
    ...omitEmpty('ArgsEscaped', config.ArgsEscaped),
    ...omitEmptyObject('Healthcheck', config.Healthcheck),
    ...omitEmptyObject('OnBuild', config.OnBuild ?? undefined),
    ...omitEmptyObject('Shell', config.Shell),
  };
}

export interface SummaryCounts {
  /** Containers made from the image; -1 is not counted. */
  readonly containers: number;
  /** Bytes; -1 is not computed. */
  readonly sharedBytes: number;
}

export function summarizeImage(
  image: StoredImage,
  familiar: FamiliarName,
  counts: SummaryCounts,
): ImageSummary {
  return {
    Containers: counts.containers,
    Created: unixSeconds(image.config.created),
    Id: image.id,
    Labels: image.config.config?.Labels ?? null,
    ParentId: image.parent ?? '',
    ...(image.manifest ? { Descriptor: image.manifest } : {}),
    RepoDigests: image.digests.map(familiar),
    RepoTags: image.tags.map(familiar),
    SharedSize: counts.sharedBytes,
    Size: image.sizeBytes,
  };
}

/** Seconds of an ISO time; 0 for none, as dockerd answers images without a date. */
function unixSeconds(time: string | undefined): number {
  const ms = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}

export function fromHistory(item: ReturnType<ImageService['history']>[number]): ImageHistoryResponseItem {
  return {
    Id: item.id,
    Created: item.createdS,
    CreatedBy: item.createdBy,
    Tags: orNull(item.tags),
    Size: item.sizeBytes,
    Comment: item.comment,
  };
}

export function fromDeletion(deletion: { readonly untagged?: string; readonly deleted?: string }) {
  return { ...omitEmpty('Untagged', deletion.untagged), ...omitEmpty('Deleted', deletion.deleted) };
}
