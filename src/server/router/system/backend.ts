import type { EventBus } from '#base';

/** What this engine is. Stated once by `cmd`, which alone knows all parts. */
export interface EngineVersion {
  readonly version: string;
  readonly platformName: string;
  readonly experimental: boolean;
  readonly gitCommit: string;
  /** ISO time. */
  readonly buildTime: string;
  /** Language runtime and its version, in the field that docker uses for Go's. */
  readonly runtime: string;
  /** Go's name: `amd64`. */
  readonly architecture: string;
  readonly kernelVersion: string;
  readonly components: readonly {
    readonly name: string;
    readonly version: string;
    readonly details: Readonly<Record<string, string>>;
  }[];
}

/** The state of the engine and its host, for `info`. Each room offers its part, `cmd` adds them up. */
export interface EngineInfo {
  readonly id: string;
  readonly version: string;
  readonly containers: {
    readonly total: number;
    readonly running: number;
    readonly paused: number;
    readonly stopped: number;
  };
  readonly images: number;
  readonly storage: { readonly driver: string; readonly status: readonly (readonly [string, string])[] };
  readonly plugins: {
    readonly volume: readonly string[];
    readonly network: readonly string[];
    readonly authorization: readonly string[];
    readonly log: readonly string[];
  };
  readonly limits: {
    readonly memory: boolean;
    readonly swap: boolean;
    readonly cpuCfsPeriod: boolean;
    readonly cpuCfsQuota: boolean;
    readonly cpuShares: boolean;
    readonly cpuset: boolean;
    readonly pids: boolean;
    readonly ipv4Forwarding: boolean;
    readonly oomKillDisable: boolean;
  };
  readonly debug: boolean;
  readonly openFiles: number;
  readonly tasks: number;
  /** ISO time. */
  readonly systemTime: string;
  readonly loggingDriver: string;
  readonly cgroup: { readonly driver: string; readonly version: '1' | '2' };
  readonly eventListeners: number;
  readonly host: {
    readonly name: string;
    readonly kernelVersion: string;
    readonly operatingSystem: string;
    readonly osVersion: string;
    /** The kernel's name: `x86_64`. */
    readonly architecture: string;
    readonly cpus: number;
    readonly memoryBytes: number;
  };
  readonly registry: {
    readonly insecureCidrs: readonly string[];
    readonly mirrors: readonly string[];
    readonly indexes: readonly {
      readonly name: string;
      readonly mirrors: readonly string[];
      readonly secure: boolean;
      readonly official: boolean;
    }[];
  };
  readonly runtimes: {
    readonly default: string;
    readonly all: Readonly<Record<string, { readonly path: string; readonly args: readonly string[] }>>;
    readonly runcCommit: string;
    readonly initBinary: string;
    readonly initCommit: string;
  };
  readonly dataRoot: string;
  readonly proxy: { readonly http: string; readonly https: string; readonly no: string };
  readonly labels: readonly string[];
  readonly liveRestore: boolean;
  readonly experimental: boolean;
  /** `name=seccomp,profile=builtin`. */
  readonly securityOptions: readonly string[];
  readonly addressPools: readonly { readonly base: string; readonly size: number }[];
  /** Empty: rules are not managed. */
  readonly firewallDriver: string;
  readonly cdiSpecDirs: readonly string[];
  /** Devices that vendors describe (CDI), by their qualified names. */
  readonly discoveredDevices: readonly string[];
  readonly warnings: readonly string[];
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly serverAddress: string;
  readonly identityToken: string;
}

export interface SystemBackend {
  version(): EngineVersion;
  info(): EngineInfo | Promise<EngineInfo>;
  readonly events: EventBus;
  /** Checks credentials at a registry; answers an identity token, empty for none. Undefined: no registry client. */
  authenticate?(credentials: Credentials, signal: AbortSignal): Promise<string>;
}
