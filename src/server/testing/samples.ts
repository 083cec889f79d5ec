import type { ContainerView, ExecView } from '#containers';
import type { StoredImage } from '#images';
import type { Network } from '#network';
import { toCreateRequest } from '../convert/container-config.ts';
import type { EngineInfo, EngineVersion } from '../router/system/backend.ts';

export const SAMPLE_IMAGE_ID = `sha256:${'a1'.repeat(32)}` as StoredImage['id'];
export const SAMPLE_NETWORK_ID = 'b2'.repeat(32);

/** A container as the engine would have it after a create with this body, running on the default bridge. */
export function sampleContainer(
  name: string,
  body: Parameters<typeof toCreateRequest>[0] = {},
  changes: Partial<ContainerView> = {},
): ContainerView {
  const request = toCreateRequest(
    { Image: 'busybox', Cmd: ['sleep', '60'], ...body },
    { name, platform: undefined },
  );
  const [path = 'sleep', ...args] = request.config.cmd ?? [];
  const id = Buffer.from(name.padEnd(32, '.')).toString('hex') as ContainerView['id'];
  return {
    ...request,
    id,
    name,
    created: '2026-01-02T03:04:05.678Z',
    imageId: SAMPLE_IMAGE_ID,
    path,
    args,
    portRequests: [],
    mounts: [],
    state: { status: 'running', pid: 4711, startedAt: '2026-01-02T03:04:06.000Z' },
    restartCount: 0,
    manuallyStopped: false,
    driver: 'overlay2',
    logPath: `/var/lib/gantry/containers/${id}/log`,
    hostnamePath: `/var/lib/gantry/containers/${id}/hostname`,
    hostsPath: `/var/lib/gantry/containers/${id}/hosts`,
    resolvConfPath: `/var/lib/gantry/containers/${id}/resolv.conf`,
    sandbox: {
      containerId: id,
      id: 'c3'.repeat(32),
      netnsPath: '/run/gantry/netns/c3c3c3c3c3c3',
      endpoints: [sampleEndpoint()],
      ports: [
        { containerPort: 80, protocol: 'tcp', hostIp: '0.0.0.0', hostPort: 8080 },
        { containerPort: 80, protocol: 'tcp', hostIp: '::', hostPort: 8080 },
      ],
    },
    names: [changes.name ?? name],
    linkTexts: request.hostConfig.links,
    execIds: [],
    graphDriver: { UpperDir: '/var/lib/gantry/snapshots/1/diff' },
    appArmorProfile: '',
    lastStartTrace: undefined,
    ...changes,
  };
}

export const SAMPLE_EXEC: ExecView = {
  id: 'e5'.repeat(32),
  containerId: 'f6'.repeat(32) as ContainerView['id'],
  running: false,
  exitCode: 0,
  pid: 4712,
  config: {
    attachStdin: false,
    attachStdout: true,
    attachStderr: true,
    tty: false,
    detachKeys: '',
    env: [],
    cmd: ['sh', '-c', 'true'],
    privileged: false,
    user: 'root',
    workingDir: '',
  },
};

function sampleEndpoint() {
  return {
    id: 'd4'.repeat(32),
    networkId: SAMPLE_NETWORK_ID,
    networkName: 'bridge',
    interfaceName: 'eth0',
    hostInterface: 'veth1',
    macAddress: '02:42:ac:11:00:02',
    ipv4Address: '172.17.0.2',
    ipv4PrefixLength: 16,
    gateway: '172.17.0.1',
    ipv6Address: '',
    ipv6PrefixLength: 0,
    ipv6Gateway: '',
  };
}

export function sampleImage(changes: Partial<StoredImage> = {}): StoredImage {
  return {
    id: SAMPLE_IMAGE_ID,
    tags: ['docker.io/library/busybox:latest'],
    digests: [],
    config: {
      architecture: 'amd64',
      os: 'linux',
      created: '2026-01-01T00:00:00Z',
      config: { Cmd: ['/bin/sh'], Env: ['PATH=/bin'] },
      rootfs: { type: 'layers', diff_ids: [SAMPLE_IMAGE_ID] },
    },
    manifest: undefined,
    chainId: SAMPLE_IMAGE_ID,
    sizeBytes: 1_982_263,
    layerSizes: [1_982_263],
    lastTagTime: '2026-01-01T00:00:01Z',
    parent: undefined,
    ...changes,
  };
}

export function sampleNetwork(changes: Partial<Network> = {}): Network {
  return {
    id: SAMPLE_NETWORK_ID,
    name: 'bridge',
    driver: 'bridge',
    created: '2026-01-01T00:00:00Z',
    internal: false,
    attachable: false,
    enableIPv6: false,
    ipam: [{ subnet: '172.17.0.0/16', gateway: '172.17.0.1' }],
    options: { 'com.docker.network.bridge.name': 'gantry0' },
    labels: {},
    bridgeName: 'gantry0',
    ...changes,
  };
}

export const SAMPLE_VERSION: EngineVersion = {
  version: '0.1.0',
  platformName: 'Gantry',
  experimental: false,
  gitCommit: '0123abc',
  buildTime: '2026-01-01T00:00:00Z',
  runtime: 'bun1.4.5',
  architecture: 'amd64',
  kernelVersion: '6.18.0',
  components: [{ name: 'crun', version: '1.8.1', details: { GitCommit: 'abc' } }],
};

export const SAMPLE_INFO: EngineInfo = {
  id: '7f3d1c3c-0000-4000-8000-000000000000',
  version: '0.1.0',
  containers: { total: 3, running: 1, paused: 1, stopped: 1 },
  images: 2,
  storage: { driver: 'overlay2', status: [['Backing Filesystem', 'extfs']] },
  plugins: { volume: ['local'], network: ['bridge', 'host', 'null'], authorization: [], log: ['json-file'] },
  limits: {
    memory: true,
    swap: true,
    cpuCfsPeriod: true,
    cpuCfsQuota: true,
    cpuShares: true,
    cpuset: true,
    pids: true,
    ipv4Forwarding: true,
    oomKillDisable: true,
  },
  debug: false,
  openFiles: 20,
  tasks: 4,
  systemTime: '2026-01-02T03:04:05.678Z',
  loggingDriver: 'json-file',
  cgroup: { driver: 'cgroupfs', version: '1' },
  eventListeners: 0,
  host: {
    name: 'host1',
    kernelVersion: '6.18.0',
    operatingSystem: 'Debian GNU/Linux 12 (bookworm)',
    osVersion: '12',
    architecture: 'x86_64',
    cpus: 2,
    memoryBytes: 25_276_514_304,
  },
  registry: {
    insecureCidrs: ['127.0.0.0/8'],
    mirrors: [],
    indexes: [{ name: 'docker.io', mirrors: [], secure: true, official: true }],
  },
  runtimes: {
    default: 'crun',
    all: { crun: { path: 'crun', args: [] }, runc: { path: 'runc', args: [] } },
    runcCommit: '',
    initBinary: '',
    initCommit: '',
  },
  dataRoot: '/var/lib/gantry',
  proxy: { http: '', https: '', no: '' },
  labels: [],
  liveRestore: true,
  experimental: false,
  securityOptions: ['name=seccomp,profile=builtin'],
  addressPools: [{ base: '172.17.0.0/12', size: 16 }],
  firewallDriver: 'nftables',
  cdiSpecDirs: ['/etc/cdi'],
  discoveredDevices: ['vendor.com/class=one'],
  warnings: [],
};
