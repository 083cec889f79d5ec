import type { DriverData, OCIDescriptor, StringMap, WireSet } from './common.ts';
import type { ContainerConfig, HealthConfig } from './container.ts';

export interface ImageConfig {
  readonly User?: string;
  readonly ExposedPorts?: WireSet;
  readonly Env?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Volumes?: WireSet | null;
  readonly WorkingDir?: string;
  readonly Labels?: StringMap | null;
  readonly StopSignal?: string;
  readonly ArgsEscaped?: boolean;
  readonly Healthcheck?: HealthConfig;
  readonly OnBuild?: readonly string[] | null;
  readonly Shell?: readonly string[];
}

export interface ImageInspect {
  readonly Id: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Comment?: string;
  readonly Created?: string;
  readonly Author?: string;
  readonly Config: ImageConfig | null;
  readonly Architecture: string;
  readonly Variant?: string;
  readonly Os: string;
  readonly OsVersion?: string;
  /** Bytes. */
  readonly Size: number;
  readonly GraphDriver?: DriverData;
  readonly RootFS: { readonly Type?: string; readonly Layers?: readonly string[] };
  readonly Metadata: { readonly LastTagTime: string };
  readonly Descriptor?: OCIDescriptor;
  /** Images of the classic builder and of commit. */
  readonly Parent?: string;
  readonly DockerVersion?: string;
  /** API 1.44 and older. */
  readonly Container?: string;
  readonly ContainerConfig?: ContainerConfig;
  /** API 1.43 and older. */
  readonly VirtualSize?: number;
}

export interface ImageSummary {
  /** Containers made from it; -1 is not counted. */
  readonly Containers: number;
  /** Seconds since the epoch. */
  readonly Created: number;
  readonly Id: string;
  readonly Labels: StringMap | null;
  readonly ParentId: string;
  readonly Descriptor?: OCIDescriptor;
  readonly RepoDigests: readonly string[];
  readonly RepoTags: readonly string[];
  /** Bytes shared with other images; -1 is not computed. */
  readonly SharedSize: number;
  readonly Size: number;
  /** API 1.43 and older. */
  readonly VirtualSize?: number;
}

export interface ImageHistoryResponseItem {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[] | null;
  readonly Size: number;
  readonly Comment: string;
}

export interface ImageDeleteResponseItem {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

export interface ImagesPruneResponse {
  readonly ImagesDeleted: readonly ImageDeleteResponseItem[] | null;
  readonly SpaceReclaimed: number;
}
