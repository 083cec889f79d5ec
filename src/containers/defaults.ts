import type { IdMappings } from '#oci';
import type { Ulimit } from './model.ts';

/** What the daemon's configuration says about containers. Read anew at each use, so a reload may change it. */
export interface ContainerDefaults {
  /** Parent of the containers' cgroups, relative to the cgroup root. */
  readonly cgroupParent: string;
  readonly shmSizeBytes: number;
  readonly stopTimeoutS: number;
  readonly logDriver: string;
  readonly logOptions: Readonly<Record<string, string>>;
  /** Run an init in every container. */
  readonly init: boolean;
  /** Host path of the init program; undefined: `--init` is refused. */
  readonly initPath: string | undefined;
  readonly ulimits: readonly Ulimit[];
  readonly noNewPrivileges: boolean;
  readonly ipcMode: 'private' | 'shareable';
  /** Default: the host's with cgroup v1, a private one with v2. */
  readonly cgroupnsMode?: 'private' | 'host';
  readonly dns: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly dnsSearch: readonly string[];
  /** What `host-gateway` means in `--add-host`. Default: the gateway of the container's network. */
  readonly hostGatewayIp?: string;
  /** Where CDI specs lie. Default `/etc/cdi`, then `/var/run/cdi`. */
  readonly cdiSpecDirs?: readonly string[];
  /** Give containers SELinux labels where the host has SELinux. Default false; fixed while the daemon runs. */
  readonly selinux?: boolean;
  /** Profile in docker's JSON format; undefined: the built-in one. */
  readonly seccompProfile: string | undefined;
  /** User namespace of containers that do not ask for the host's; undefined: the host's. */
  readonly idMappings?: IdMappings | undefined;
}

export const CONTAINER_DEFAULTS: ContainerDefaults = {
  cgroupParent: '/gantry',
  shmSizeBytes: 64 * 1024 * 1024,
  stopTimeoutS: 10,
  logDriver: 'json-file',
  logOptions: {},
  init: false,
  initPath: undefined,
  ulimits: [],
  noNewPrivileges: false,
  ipcMode: 'private',
  dns: [],
  dnsOptions: [],
  dnsSearch: [],
  seccompProfile: undefined,
};
