import { GoDuration, Struct } from '../template/values.ts';

/**
 * What docker's client knows of a container's types. Its templates run on Go's values first: a struct prints its values
 * in order, an absent list prints `[]`, a duration prints `1h0m0s`, a key that a map lacks is no mistake. What is missing
 * here is found by name in the JSON instead, as docker does for names that its types do not have.
 */
type Shape =
  /** The zero of a string, a number, a truth value, or nil. */
  | 's'
  | 'i'
  | 'b'
  | 'p'
  | 'duration'
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly struct: Fields; readonly optional?: true };

type Fields = Readonly<Record<string, Shape>>;
type Wire = Readonly<Record<string, unknown>>;

const all = (names: string, shape: Shape): Fields =>
  Object.fromEntries(names.split(' ').map((name) => [name, shape]));

const STRINGS: Shape = { list: 's' };
const DICTIONARY: Shape = { map: 's' };
const NAMES_ONLY: Shape = { map: { struct: {} } };
const PORTS: Shape = { map: { list: { struct: all('HostIp HostPort', 's') } } };

const HEALTH: Shape = {
  struct: { Status: 's', FailingStreak: 'i', Log: { list: 'p' } },
  optional: true,
};

const HEALTHCHECK: Shape = {
  struct: {
    Test: STRINGS,
    ...all('Interval Timeout StartPeriod StartInterval', 'duration'),
    Retries: 'i',
  },
  optional: true,
};

const STATE: Fields = {
  Status: 's',
  ...all('Running Paused Restarting OOMKilled Dead', 'b'),
  ...all('Pid ExitCode', 'i'),
  ...all('Error StartedAt FinishedAt', 's'),
  Health: HEALTH,
};

const CONFIG: Fields = {
  ...all('Hostname Domainname User', 's'),
  ...all('AttachStdin AttachStdout AttachStderr', 'b'),
  ExposedPorts: NAMES_ONLY,
  ...all('Tty OpenStdin StdinOnce', 'b'),
  ...all('Env Cmd', STRINGS),
  Healthcheck: HEALTHCHECK,
  ArgsEscaped: 'b',
  Image: 's',
  Volumes: NAMES_ONLY,
  WorkingDir: 's',
  Entrypoint: STRINGS,
  NetworkDisabled: 'b',
  OnBuild: STRINGS,
  Labels: DICTIONARY,
  StopSignal: 's',
  StopTimeout: 'p',
  Shell: STRINGS,
};

const HOST_CONFIG: Fields = {
  Binds: STRINGS,
  ContainerIDFile: 's',
  LogConfig: { struct: { Type: 's', Config: DICTIONARY } },
  NetworkMode: 's',
  PortBindings: PORTS,
  RestartPolicy: { struct: { Name: 's', MaximumRetryCount: 'i' } },
  AutoRemove: 'b',
  VolumeDriver: 's',
  VolumesFrom: STRINGS,
  ConsoleSize: 'p',
  Annotations: DICTIONARY,
  ...all('CapAdd CapDrop', STRINGS),
  CgroupnsMode: 's',
  ...all('ExtraHosts GroupAdd', STRINGS),
  ...all('IpcMode Cgroup', 's'),
  Links: STRINGS,
  OomScoreAdj: 'i',
  PidMode: 's',
  ...all('Privileged PublishAllPorts ReadonlyRootfs', 'b'),
  SecurityOpt: STRINGS,
  ...all('StorageOpt Tmpfs', DICTIONARY),
  ...all('UTSMode UsernsMode', 's'),
  ShmSize: 'i',
  Sysctls: DICTIONARY,
  ...all('Runtime Isolation', 's'),
  Memory: 'i',
  CgroupParent: 's',
  BlkioWeight: 'i',
  BlkioWeightDevice: { list: 'p' },
  Devices: { list: { struct: all('PathOnHost PathInContainer CgroupPermissions', 's') } },
  DeviceCgroupRules: STRINGS,
  DeviceRequests: { list: 'p' },
  ...all('MemoryReservation MemorySwap', 'i'),
  ...all('MemorySwappiness OomKillDisable PidsLimit', 'p'),
  Ulimits: { list: 'p' },
  Mounts: { list: 'p' },
  ...all('MaskedPaths ReadonlyPaths', STRINGS),
  Init: 'p',
};

const ENDPOINT: Fields = {
  IPAMConfig: 'p',
  ...all('Links Aliases', STRINGS),
  MacAddress: 's',
  DriverOpts: DICTIONARY,
  GwPriority: 'i',
  ...all('NetworkID EndpointID Gateway IPAddress', 's'),
  IPPrefixLen: 'i',
  ...all('IPv6Gateway GlobalIPv6Address', 's'),
  GlobalIPv6PrefixLen: 'i',
  DNSNames: STRINGS,
};

const NETWORK_SETTINGS: Fields = {
  ...all('Bridge SandboxID SandboxKey', 's'),
  Ports: PORTS,
  HairpinMode: 'b',
  ...all('EndpointID Gateway GlobalIPv6Address', 's'),
  GlobalIPv6PrefixLen: 'i',
  IPAddress: 's',
  IPPrefixLen: 'i',
  ...all('IPv6Gateway MacAddress', 's'),
  Networks: { map: { struct: ENDPOINT, optional: true } },
};

const MOUNT: Fields = {
  ...all('Type Name Source Destination Driver Mode', 's'),
  RW: 'b',
  Propagation: 's',
};

const CONTAINER: Fields = {
  ...all('Created Path', 's'),
  Args: STRINGS,
  State: { struct: STATE },
  ...all('Image ResolvConfPath HostnamePath HostsPath LogPath Name', 's'),
  RestartCount: 'i',
  ...all('Driver Platform MountLabel ProcessLabel AppArmorProfile', 's'),
  ExecIDs: STRINGS,
  HostConfig: { struct: HOST_CONFIG },
  GraphDriver: { struct: { Data: DICTIONARY, Name: 's' } },
  ...all('SizeRw SizeRootFs', 'p'),
  Mounts: { list: { struct: MOUNT } },
  Config: { struct: CONFIG },
  NetworkSettings: { struct: NETWORK_SETTINGS },
};

/** A struct that is the wire's object again as JSON, in the wire's order, with the keys of its maps sorted. */
class WireStruct extends Struct {
  readonly #wire: Wire;

  constructor(wire: Wire, fields: Fields) {
    const shaped = Object.entries(fields).map(([name, shape]) => [name, apply(shape, wire[name])]);
    super('container', Object.fromEntries(shaped), { keepsOrder: true, escapesHtml: false });
    this.#wire = wire;
  }

  override toJSON(): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(this.#wire).map(([name, value]) => [
        name,
        Object.hasOwn(this.fields, name) ? this.fields[name] : value,
      ]),
    );
  }
}

/** Empty for templates, null as JSON: what Go does with a list or a map that was never made. */
const absent = <T extends object>(empty: T): T =>
  Object.defineProperty(empty, 'toJSON', { value: () => null });

const ZERO = { s: '', i: 0, b: false, p: null } as const;

function apply(shape: Shape, value: unknown): unknown {
  if (shape === 'duration') return new GoDuration(Number(value ?? 0));
  if (typeof shape === 'string') return value ?? ZERO[shape];
  if ('list' in shape)
    return Array.isArray(value) ? value.map((item) => apply(shape.list, item)) : absent([]);
  const isObject = typeof value === 'object' && value !== null;
  if ('map' in shape) return isObject ? mapOf(shape.map, value as Wire) : absent({});
  return isObject || !shape.optional ? new WireStruct((value ?? {}) as Wire, shape.struct) : null;
}

const mapOf = (shape: Shape, wire: Wire): Wire =>
  Object.fromEntries(
    Object.entries(wire)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, apply(shape, value)]),
  );

/** The object as docker's typed templates see it; undefined when it is no container. */
export function shapedContainer(object: unknown): Struct | undefined {
  if (typeof object !== 'object' || object === null) return undefined;
  if (!('State' in object && 'HostConfig' in object)) return undefined;
  return new WireStruct(object as Wire, CONTAINER);
}
