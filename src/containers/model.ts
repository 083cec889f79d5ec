import type { EndpointRequest, PortRequest } from '#network';
import type { Digest, IdMappings, ImageHealthcheck } from '#oci';

/** A full container ID: 64 hex digits. */
export type ContainerId = string & { readonly __brand: 'ContainerId' };

/** What runs in the container: the image's config with the user's changes merged in. Source: Engine API, ContainerConfig. */
export interface ContainerConfig {
  readonly hostname: string;
  readonly domainname: string;
  readonly user: string;
  readonly attachStdin: boolean;
  readonly attachStdout: boolean;
  readonly attachStderr: boolean;
  /** `80/tcp`. */
  readonly exposedPorts: readonly string[];
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly env: readonly string[];
  /** Undefined: none given (the image's apply); empty: explicitly none. */
  readonly cmd: readonly string[] | undefined;
  readonly entrypoint: readonly string[] | undefined;
  readonly healthcheck: ImageHealthcheck | undefined;
  /** Name or ID as the user gave it. */
  readonly image: string;
  /** Destinations of anonymous volumes. */
  readonly volumes: readonly string[];
  readonly workingDir: string;
  readonly networkDisabled: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: string | undefined;
  /** Seconds. */
  readonly stopTimeoutS: number | undefined;
  readonly shell: readonly string[] | undefined;
  readonly onBuild: readonly string[] | undefined;
  readonly argsEscaped: boolean;
}

export interface RestartPolicy {
  readonly name: 'no' | 'always' | 'unless-stopped' | 'on-failure';
  readonly maximumRetryCount: number;
}

export interface DeviceMapping {
  readonly pathOnHost: string;
  readonly pathInContainer: string;
  /** Subset of `rwm`. */
  readonly cgroupPermissions: string;
}

export interface DeviceRequest {
  readonly driver: string;
  readonly count: number;
  readonly deviceIds: readonly string[];
  readonly capabilities: readonly (readonly string[])[];
  readonly options: Readonly<Record<string, string>>;
}

export interface ThrottleRate {
  readonly path: string;
  readonly rate: number;
}

export interface Ulimit {
  readonly name: string;
  readonly soft: number;
  readonly hard: number;
}

/** Limits. Bytes, nanoseconds, microseconds as the Engine API has them; 0 or undefined is "not set". Source: Engine API, Resources. */
export interface Resources {
  readonly cpuShares: number;
  readonly memory: number;
  readonly nanoCpus: number;
  readonly cgroupParent: string;
  readonly blkioWeight: number;
  readonly blkioWeightDevice: readonly { readonly path: string; readonly weight: number }[];
  readonly blkioDeviceReadBps: readonly ThrottleRate[];
  readonly blkioDeviceWriteBps: readonly ThrottleRate[];
  readonly blkioDeviceReadIOps: readonly ThrottleRate[];
  readonly blkioDeviceWriteIOps: readonly ThrottleRate[];
  readonly cpuPeriod: number;
  readonly cpuQuota: number;
  readonly cpuRealtimePeriod: number;
  readonly cpuRealtimeRuntime: number;
  readonly cpusetCpus: string;
  readonly cpusetMems: string;
  readonly devices: readonly DeviceMapping[];
  readonly deviceCgroupRules: readonly string[];
  readonly deviceRequests: readonly DeviceRequest[];
  readonly memoryReservation: number;
  /** -1 is unlimited swap. */
  readonly memorySwap: number;
  readonly memorySwappiness: number | undefined;
  readonly oomKillDisable: boolean | undefined;
  readonly pidsLimit: number | undefined;
  readonly ulimits: readonly Ulimit[];
  /** Accepted and ignored on Linux; kept for a faithful inspect. */
  readonly cpuCount: number;
  readonly cpuPercent: number;
  readonly ioMaximumIOps: number;
  readonly ioMaximumBandwidth: number;
}

export interface LogConfig {
  /** Driver name; empty is the daemon's default. */
  readonly type: string;
  readonly config: Readonly<Record<string, string>>;
}

export type MountType = 'bind' | 'volume' | 'tmpfs' | 'image' | 'npipe' | 'cluster';

/** One entry of `HostConfig.Mounts`. */
export interface MountRequest {
  readonly type: MountType;
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly consistency?: string;
  readonly bindOptions?: {
    readonly propagation?: string;
    readonly nonRecursive?: boolean;
    readonly createMountpoint?: boolean;
    readonly readOnlyNonRecursive?: boolean;
    readonly readOnlyForceRecursive?: boolean;
  };
  readonly volumeOptions?: {
    readonly noCopy?: boolean;
    readonly labels?: Readonly<Record<string, string>>;
    readonly driverName?: string;
    readonly driverOptions?: Readonly<Record<string, string>>;
    readonly subpath?: string;
  };
  readonly imageOptions?: { readonly subpath?: string };
  readonly tmpfsOptions?: {
    readonly sizeBytes?: number;
    readonly mode?: number;
    readonly options?: readonly (readonly string[])[];
  };
}

/** How the container meets the host. Source: Engine API, HostConfig. */
export interface HostConfig extends Resources {
  /** `source:destination[:options]`, as given. */
  readonly binds: readonly string[];
  readonly containerIdFile: string;
  readonly logConfig: LogConfig;
  /** `default`, `bridge`, `host`, `none`, `container:ID`, or a network. */
  readonly networkMode: string;
  /** Key `80/tcp`; as given (host ports may be ranges or empty). */
  readonly portBindings: Readonly<
    Record<string, readonly { readonly hostIp: string; readonly hostPort: string }[]>
  >;
  readonly restartPolicy: RestartPolicy;
  readonly autoRemove: boolean;
  readonly volumeDriver: string;
  readonly volumesFrom: readonly string[];
  readonly mounts: readonly MountRequest[];
  /** Rows, columns. */
  readonly consoleSize: readonly [number, number];
  readonly annotations: Readonly<Record<string, string>>;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly cgroupnsMode: string;
  readonly dns: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly extraHosts: readonly string[];
  readonly groupAdd: readonly string[];
  readonly ipcMode: string;
  readonly cgroup: string;
  readonly links: readonly string[];
  readonly oomScoreAdj: number;
  readonly pidMode: string;
  readonly privileged: boolean;
  readonly publishAllPorts: boolean;
  readonly readonlyRootfs: boolean;
  readonly securityOpt: readonly string[];
  readonly storageOpt: Readonly<Record<string, string>>;
  /** Destination to mount options. */
  readonly tmpfs: Readonly<Record<string, string>>;
  readonly utsMode: string;
  readonly usernsMode: string;
  /** Bytes. */
  readonly shmSize: number;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly runtime: string;
  readonly isolation: string;
  readonly init: boolean | undefined;
  readonly maskedPaths: readonly string[] | undefined;
  readonly readonlyPaths: readonly string[] | undefined;
}

export interface CreateRequest {
  /** Without slash; undefined lets the engine choose one. */
  readonly name: string | undefined;
  readonly platform: string | undefined;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** For clients before API 1.44: read-only binds leave alone what is mounted below their sources. */
  readonly readOnlyNonRecursive?: boolean;
  /** Per network name. */
  readonly endpoints: Readonly<Record<string, EndpointRequest>>;
}

/** The life of a container. Every transition goes through one pure function (`state.ts`). Times are ISO texts. */
export type ContainerState =
  | {
      readonly status: 'created';
      /** Of a start that failed: 126, 127 or 128 and docker's text. */
      readonly exitCode?: number;
      readonly error?: string;
    }
  | {
      readonly status: 'running';
      readonly pid: number;
      readonly startedAt: string;
      /** It ran out of memory: a process was killed, or hangs. */
      readonly oomKilled?: boolean;
      readonly health?: HealthState;
    }
  | {
      readonly status: 'paused';
      readonly pid: number;
      readonly startedAt: string;
      readonly oomKilled?: boolean;
      readonly health?: HealthState;
    }
  | {
      readonly status: 'restarting';
      readonly startedAt: string;
      readonly finishedAt: string;
      readonly exitCode: number;
      readonly error?: string;
      readonly health?: HealthState;
    }
  | {
      readonly status: 'exited';
      readonly startedAt: string;
      readonly finishedAt: string;
      readonly exitCode: number;
      readonly oomKilled: boolean;
      readonly error?: string;
      readonly health?: HealthState;
    }
  | {
      readonly status: 'removing';
      readonly previous: RestingState;
      /** Its anonymous volumes go too. */
      readonly removesVolumes?: boolean;
    }
  | {
      /** A removal failed half-way: what is left of it can only be removed. */
      readonly status: 'dead';
      readonly previous: RestingState;
      readonly error: string;
      readonly removesVolumes?: boolean;
    };

/** No process, and no removal begun. */
export type RestingState = Extract<ContainerState, { status: 'created' | 'restarting' | 'exited' }>;

export interface HealthState {
  readonly status: 'starting' | 'healthy' | 'unhealthy';
  readonly failingStreak: number;
  readonly log: readonly {
    readonly start: string;
    readonly end: string;
    readonly exitCode: number;
    readonly output: string;
  }[];
}

/** A mount as it is in effect. Source: Engine API, MountPoint. */
export interface MountPoint {
  readonly type: MountType;
  readonly name: string;
  readonly source: string;
  readonly destination: string;
  readonly driver: string;
  readonly mode: string;
  readonly rw: boolean;
  readonly propagation: string;
  /** Do not fill an empty volume from the image. */
  readonly noCopy?: boolean;
  /** Bind without what is mounted below the source. */
  readonly nonRecursive?: boolean;
  /** Read-only, but not what is mounted below the source. */
  readonly readOnlyNonRecursive?: boolean;
  /** Rather not at all than read-only without what is mounted below the source. */
  readonly readOnlyForceRecursive?: boolean;
  /** Nobody asked for this propagation: where the host's mount does not allow it there is none. */
  readonly impliedPropagation?: boolean;
  /** What is mounted of an image, and the key of the snapshot through which it is seen; none as long as that is not made. */
  readonly image?: { readonly id: Digest; readonly key: string };
  /** Directory within the volume or image. */
  readonly subpath?: string;
  /** Mount options of a tmpfs. */
  readonly tmpfsOptions?: readonly string[];
  /** Make the missing source directory of a bind at start (`-v`). */
  readonly createSource?: boolean;
}

/** A container that another one knows under a name of its own (`--link`). */
export interface ContainerLink {
  readonly containerId: string;
  /** What it was called then: it may be gone now. */
  readonly name: string;
  readonly alias: string;
}

/** A container as stored: config and what cannot be derived. */
export interface Container {
  readonly id: ContainerId;
  /** Without slash. */
  readonly name: string;
  /** ISO time. */
  readonly created: string;
  readonly imageId: Digest;
  /** Its user namespace, for as long as it exists; undefined: the host's. */
  readonly idMappings?: IdMappings;
  /** Its SELinux labels, of its processes and of its files; undefined and empty are none. */
  readonly processLabel?: string;
  readonly mountLabel?: string;
  /** Executable and arguments after merging entrypoint and command. */
  readonly path: string;
  readonly args: readonly string[];
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly endpoints: Readonly<Record<string, EndpointRequest>>;
  /** None in containers of daemons that knew no links. `hostConfig.links` has them as they were given. */
  readonly links?: readonly ContainerLink[];
  readonly portRequests: readonly PortRequest[];
  readonly mounts: readonly MountPoint[];
  readonly state: ContainerState;
  readonly restartCount: number;
  /** The user stopped it: `unless-stopped` leaves it alone at the next daemon start. */
  readonly manuallyStopped: boolean;
  readonly driver: string;
  readonly logPath: string;
  readonly hostnamePath: string;
  readonly hostsPath: string;
  readonly resolvConfPath: string;
}
