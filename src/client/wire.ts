/**
 * The parts of the Engine API's answers that clients look at, tolerant of daemons of any age: what a version may
 * leave out is optional. Requests are built from the same names. Source: spec/engine-api.md.
 */
type Dict<T> = Readonly<Record<string, T>>;
type Nullable<T> = T | null | undefined;

export interface PortSummary {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type: string;
}

export interface MountPoint {
  readonly Type?: string;
  readonly Name?: string;
  readonly Source?: string;
  readonly Destination?: string;
}

export interface ContainerSummary {
  readonly Id: string;
  readonly Names: Nullable<readonly string[]>;
  readonly Image: string;
  readonly ImageID: string;
  readonly Command: string;
  /** Seconds since the epoch. */
  readonly Created: number;
  readonly Ports: Nullable<readonly PortSummary[]>;
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Labels: Nullable<Dict<string>>;
  readonly State: string;
  readonly Status: string;
  readonly NetworkSettings?: { readonly Networks?: Nullable<Dict<unknown>> };
  readonly Mounts?: Nullable<readonly MountPoint[]>;
  readonly ImageManifestDescriptor?: { readonly platform?: Platform };
}

export interface Platform {
  readonly architecture?: string;
  readonly os?: string;
  readonly variant?: string;
}

export interface PortBinding {
  readonly HostIp: string;
  readonly HostPort: string;
}

export interface ContainerInspect {
  readonly Id: string;
  readonly Name: string;
  readonly State: {
    readonly Status: string;
    readonly Running: boolean;
    readonly Paused: boolean;
    readonly Restarting: boolean;
    readonly ExitCode: number;
  };
  readonly Config: {
    readonly Tty: boolean;
    readonly OpenStdin: boolean;
    readonly AttachStdin: boolean;
    readonly AttachStdout: boolean;
    readonly AttachStderr: boolean;
  };
  readonly HostConfig: { readonly AutoRemove?: boolean };
  readonly NetworkSettings: { readonly Ports?: Nullable<Dict<Nullable<readonly PortBinding[]>>> };
}

export interface CreateResult {
  readonly Id: string;
  readonly Warnings: Nullable<readonly string[]>;
}

export interface WaitResult {
  readonly StatusCode: number;
  readonly Error?: Nullable<{ readonly Message: string }>;
}

export interface TopResult {
  readonly Titles: readonly string[];
  readonly Processes: Nullable<readonly (readonly string[])[]>;
}

/** 0 modified, 1 added, 2 deleted. */
export interface FilesystemChange {
  readonly Path: string;
  readonly Kind: number;
}

export interface ContainerStats {
  readonly id?: string;
  readonly name?: string;
  readonly read?: string;
  readonly preread?: string;
  readonly pids_stats?: { readonly current?: number };
  readonly networks?: Dict<{ readonly rx_bytes: number; readonly tx_bytes: number }>;
  readonly memory_stats?: {
    readonly usage?: number;
    readonly limit?: number;
    readonly stats?: Dict<number>;
  };
  readonly blkio_stats?: {
    readonly io_service_bytes_recursive?: Nullable<
      readonly { readonly op: string; readonly value: number }[]
    >;
  };
  readonly cpu_stats?: CpuStats;
  readonly precpu_stats?: CpuStats;
}

export interface CpuStats {
  readonly cpu_usage?: { readonly total_usage?: number; readonly percpu_usage?: Nullable<readonly number[]> };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
}

export interface ImageSummary {
  readonly Id: string;
  readonly ParentId?: string;
  readonly RepoTags: Nullable<readonly string[]>;
  readonly RepoDigests: Nullable<readonly string[]>;
  readonly Created: number;
  readonly Size: number;
  readonly SharedSize: number;
  readonly VirtualSize?: number;
  readonly Labels: Nullable<Dict<string>>;
  readonly Containers: number;
}

export interface ImageHistoryItem {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: Nullable<readonly string[]>;
  readonly Size: number;
  readonly Comment: string;
}

export interface ImageDeleteItem {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

/** One entry of a progress stream: load, import, pull, push, build. */
export interface ProgressMessage {
  readonly id?: string;
  readonly status?: string;
  readonly stream?: string;
  readonly progress?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number; readonly units?: string };
  readonly error?: string;
  readonly errorDetail?: { readonly code?: number; readonly message?: string };
  readonly aux?: unknown;
}

export interface VolumeSummary {
  readonly Name: string;
  readonly Driver: string;
  readonly Mountpoint: string;
  readonly Labels: Nullable<Dict<string>>;
  readonly Scope: string;
  readonly CreatedAt?: string;
  readonly UsageData?: Nullable<{ readonly Size: number; readonly RefCount: number }>;
}

export interface NetworkSummary {
  readonly Name: string;
  readonly Id: string;
  readonly Created: string;
  readonly Scope: string;
  readonly Driver: string;
  readonly EnableIPv4?: boolean;
  readonly EnableIPv6?: boolean;
  readonly Internal?: boolean;
  readonly Labels: Nullable<Dict<string>>;
}

export interface PruneResult {
  readonly ContainersDeleted?: Nullable<readonly string[]>;
  readonly VolumesDeleted?: Nullable<readonly string[]>;
  readonly NetworksDeleted?: Nullable<readonly string[]>;
  readonly ImagesDeleted?: Nullable<readonly ImageDeleteItem[]>;
  readonly SpaceReclaimed?: number;
}

export interface EventMessage {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes?: Nullable<Dict<string>> };
  readonly scope?: string;
  readonly time: number;
  readonly timeNano: number;
}

export interface ExecInspect {
  readonly ID: string;
  readonly Running: boolean;
  readonly ExitCode: Nullable<number>;
  readonly Pid: number;
}

export interface SystemVersion {
  readonly Platform?: { readonly Name: string };
  readonly Components?: Nullable<
    readonly { readonly Name: string; readonly Version: string; readonly Details?: Nullable<Dict<string>> }[]
  >;
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion?: string;
  readonly GitCommit: string;
  readonly GoVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion?: string;
  readonly Experimental?: boolean;
  readonly BuildTime?: string;
}

/** `info` is printed field by field; unknown and missing fields are normal. */
export type SystemInfo = Readonly<Record<string, unknown>>;

export interface DiskUsage {
  readonly LayersSize?: number;
  readonly Images?: Nullable<readonly ImageSummary[]>;
  readonly Containers?: Nullable<readonly ContainerSummary[]>;
  readonly Volumes?: Nullable<readonly VolumeSummary[]>;
  readonly BuildCache?: Nullable<
    readonly {
      readonly ID: string;
      readonly Size: number;
      readonly InUse: boolean;
      readonly Shared: boolean;
    }[]
  >;
}

/** Answer of `/_ping`. */
export interface PingResult {
  readonly apiVersion: string | undefined;
  readonly osType: string;
  readonly experimental: boolean;
  readonly builderVersion: string;
}
