import type { Digest } from '#oci';
import type { Collection, MetadataStore } from '#store';
import type { Container, ContainerConfig, ContainerId, CreateRequest, HostConfig } from '../model.ts';

/** A {@link ContainerConfig} in which nothing is set but the command. */
export const configFixture = (changes: Partial<ContainerConfig> = {}): ContainerConfig => ({
  hostname: '',
  domainname: '',
  user: '',
  attachStdin: false,
  attachStdout: true,
  attachStderr: true,
  exposedPorts: [],
  tty: false,
  openStdin: false,
  stdinOnce: false,
  env: [],
  cmd: ['true'],
  entrypoint: undefined,
  healthcheck: undefined,
  image: 'busybox',
  volumes: [],
  workingDir: '',
  networkDisabled: false,
  labels: {},
  stopSignal: undefined,
  stopTimeoutS: undefined,
  shell: undefined,
  onBuild: undefined,
  argsEscaped: false,
  macAddress: undefined,
  ...changes,
});

const NO_LIMITS = {
  cpuShares: 0,
  memory: 0,
  nanoCpus: 0,
  cgroupParent: '',
  blkioWeight: 0,
  blkioWeightDevice: [],
  blkioDeviceReadBps: [],
  blkioDeviceWriteBps: [],
  blkioDeviceReadIOps: [],
  blkioDeviceWriteIOps: [],
  cpuPeriod: 0,
  cpuQuota: 0,
  cpuRealtimePeriod: 0,
  cpuRealtimeRuntime: 0,
  cpusetCpus: '',
  cpusetMems: '',
  devices: [],
  deviceCgroupRules: [],
  deviceRequests: [],
  memoryReservation: 0,
  memorySwap: 0,
  memorySwappiness: undefined,
  oomKillDisable: undefined,
  pidsLimit: undefined,
  ulimits: [],
  cpuCount: 0,
  cpuPercent: 0,
  ioMaximumIOps: 0,
  ioMaximumBandwidth: 0,
} as const;

/** A {@link HostConfig} in which nothing is set; the network mode is `none`. */
export const hostConfigFixture = (changes: Partial<HostConfig> = {}): HostConfig => ({
  ...NO_LIMITS,
  binds: [],
  containerIdFile: '',
  logConfig: { type: '', config: {} },
  networkMode: 'none',
  portBindings: {},
  restartPolicy: { name: 'no', maximumRetryCount: 0 },
  autoRemove: false,
  volumeDriver: '',
  volumesFrom: [],
  mounts: [],
  consoleSize: [0, 0],
  annotations: {},
  capAdd: [],
  capDrop: [],
  cgroupnsMode: '',
  dns: [],
  dnsOptions: [],
  dnsSearch: [],
  extraHosts: [],
  groupAdd: [],
  ipcMode: '',
  cgroup: '',
  links: [],
  oomScoreAdj: 0,
  pidMode: '',
  privileged: false,
  publishAllPorts: false,
  readonlyRootfs: false,
  securityOpt: [],
  storageOpt: {},
  tmpfs: {},
  utsMode: '',
  usernsMode: '',
  shmSize: 0,
  sysctls: {},
  runtime: '',
  isolation: '',
  init: undefined,
  maskedPaths: undefined,
  readonlyPaths: undefined,
  ...changes,
});

/** A request for a busybox container without network. */
export const createRequestFixture = (
  changes: {
    readonly name?: string;
    readonly config?: Partial<ContainerConfig>;
    readonly hostConfig?: Partial<HostConfig>;
  } = {},
): CreateRequest => ({
  name: changes.name,
  platform: undefined,
  config: configFixture(changes.config),
  hostConfig: hostConfigFixture(changes.hostConfig),
  endpoints: {},
});

/** A stored container that never ran. */
export const containerFixture = (changes: Partial<Container> = {}): Container => ({
  id: 'f00d'.padEnd(64, '0') as ContainerId,
  name: 'fixture',
  created: '2026-01-01T00:00:00.000Z',
  imageId: `sha256:${'1'.repeat(64)}` as Digest,
  path: 'true',
  args: [],
  config: configFixture(),
  hostConfig: hostConfigFixture(),
  endpoints: {},
  portRequests: [],
  mounts: [],
  state: { status: 'created' },
  restartCount: 0,
  manuallyStopped: false,
  driver: 'overlay2',
  logPath: '',
  hostnamePath: '',
  hostsPath: '',
  resolvConfPath: '',
  ...changes,
});

/** Metadata in memory. What is written is kept as JSON, so that a test sees what a database would give back. */
export function memoryMetadata(): MetadataStore {
  const tables = new Map<string, Map<string, string>>();
  return {
    collection<T>(name: string, decode: (stored: unknown) => T): Collection<T> {
      const rows = tables.get(name) ?? new Map<string, string>();
      tables.set(name, rows);
      const read = (text: string | undefined) => (text === undefined ? undefined : decode(JSON.parse(text)));
      return {
        get: (key) => read(rows.get(key)),
        put: (key, value) => void rows.set(key, JSON.stringify(value)),
        delete: (key) => rows.delete(key),
        entries: () => [...rows].map(([key, text]) => [key, decode(JSON.parse(text))] as const),
      };
    },
    transaction: (action) => action(),
    quarantined: [],
    isRebuilt: false,
    [Symbol.dispose]() {},
  };
}
