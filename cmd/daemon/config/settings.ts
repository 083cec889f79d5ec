import { isIP } from 'node:net';
import { DEFAULT_HOST } from '#api';
import { errorMessage, invalidArgument, LOG_LEVELS, type LogLevel, parseBytes } from '#base';
import { resolveLogging } from '#containers';
import { DEFAULT_CGROUP_PARENT } from '#runtime';
import type { GivenOptions } from './load.ts';
import type { OptionName } from './options.ts';
import { type TlsSettings, tlsSettings } from './tls.ts';

/** The daemon's settings with every default filled in. */
export interface Settings {
  readonly hosts: readonly string[];
  readonly dataRoot: string;
  readonly execRoot: string;
  readonly pidfile: string;
  readonly logLevel: LogLevel;
  readonly logFormat: 'json' | 'text';
  readonly socketGroup: string;
  /** The group was named: then it must exist. */
  readonly socketGroupRequired: boolean;
  readonly allowInsecureTcp: boolean;
  /** Undefined: TCP sockets speak plain HTTP. */
  readonly tls: TlsSettings | undefined;
  readonly labels: readonly string[];
  readonly liveRestore: boolean;
  /** Below 0: as long as it takes. */
  readonly shutdownTimeoutS: number;
  readonly experimental: boolean;
  readonly network: NetworkSettings;
  readonly containers: ContainerSettings;
  readonly runtimes: RuntimeSettings;
}

export interface NetworkSettings {
  /** An existing bridge to use; `none` disables the default network; undefined makes our own. */
  readonly bridge: string | undefined;
  readonly bip: string | undefined;
  readonly fixedCidr: string | undefined;
  readonly defaultGateway: string | undefined;
  readonly addressPools: readonly { readonly base: string; readonly size: number }[];
  readonly mtu: number;
  readonly interContainer: boolean;
  readonly masquerade: boolean;
  readonly ipForward: boolean;
  readonly firewall: boolean;
  readonly defaultHostIp: string;
}

export interface ContainerSettings {
  /** Later ones win; undefined: the usual ones. */
  readonly cdiSpecDirs: readonly string[] | undefined;
  readonly cgroupParent: string;
  /** Undefined: by the version of cgroups. */
  readonly cgroupnsMode: 'host' | 'private' | undefined;
  readonly ipcMode: 'private' | 'shareable';
  readonly shmSizeBytes: number;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly dns: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly hostGatewayIp: string | undefined;
  readonly init: boolean;
  readonly initPath: string | undefined;
  readonly logDriver: string;
  readonly logOptions: Readonly<Record<string, string>>;
  readonly noNewPrivileges: boolean;
  readonly selinux: boolean;
  /** Path of the default profile; `unconfined`; undefined is the built-in one. */
  readonly seccompProfile: string | undefined;
  /** `default`, `user[:group]` or `uid[:gid]`; undefined: no mapping. */
  readonly usernsRemap: string | undefined;
}

export interface RuntimeSettings {
  /** Name to absolute path and arguments. */
  readonly added: Readonly<Record<string, { readonly path: string; readonly args: readonly string[] }>>;
  readonly defaultName: string | undefined;
}

const DEFAULT_SHM_BYTES = 64 * 1024 * 1024;
/** dockerd's pools, in its order: dockerd(8), --default-address-pool. */
const DEFAULT_POOLS = [
  'base=172.17.0.0/16,size=16',
  'base=172.18.0.0/16,size=16',
  'base=172.19.0.0/16,size=16',
  'base=172.20.0.0/14,size=16',
  'base=172.24.0.0/14,size=16',
  'base=172.28.0.0/14,size=16',
  'base=192.168.0.0/16,size=20',
];

/** Fills in defaults; those of TLS come from the environment. @throws `invalid_argument` for values that make no sense. */
export function settingsFrom(
  given: GivenOptions,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Settings {
  const read = new Reader(given);
  const level = read.boolean('debug', false) ? 'debug' : read.text('log-level', 'info');
  const execRoot = read.text('exec-root', '/run/gantry');
  checkUnused(read);
  return {
    hosts: read.list('host', [DEFAULT_HOST]),
    dataRoot: read.text('data-root', '/var/lib/gantry'),
    execRoot,
    pidfile: read.text('pidfile', '/run/gantry.pid'),
    logLevel: parseLogLevel(level),
    logFormat: parseLogFormat(read.text('log-format', process.stderr.isTTY ? 'text' : 'json')),
    socketGroup: read.text('group', 'docker'),
    socketGroupRequired: given.group !== undefined,
    allowInsecureTcp: read.boolean('insecure-tcp', false),
    tls: tlsSettings(given, env),
    labels: checkLabels(read.list('label', [])),
    liveRestore: read.boolean('live-restore', true),
    shutdownTimeoutS: read.integer('shutdown-timeout', 15),
    experimental: read.boolean('experimental', false),
    network: networkSettings(read),
    containers: containerSettings(read),
    runtimes: {
      added: Object.fromEntries(
        Object.entries(read.map('add-runtime')).map(([name, text]) => [name, parseRuntime(name, text)]),
      ),
      defaultName: read.optional('default-runtime'),
    },
  };
}

function networkSettings(read: Reader): NetworkSettings {
  const bridge = read.optional('bridge');
  const bip = read.optional('bip');
  if (bridge !== undefined && bip !== undefined) {
    throw invalidArgument('you specified -b & --bip, mutually exclusive options. Please specify only one');
  }
  return {
    bridge,
    bip,
    fixedCidr: read.optional('fixed-cidr'),
    defaultGateway: readAddress(read, 'default-gateway'),
    addressPools: read.list('default-address-pool', DEFAULT_POOLS).map(parseAddressPool),
    mtu: parseMtu(read.integer('mtu', 0)),
    interContainer: read.boolean('icc', true),
    masquerade: read.boolean('ip-masq', true),
    ipForward: read.boolean('ip-forward', true),
    firewall: read.boolean('iptables', true),
    defaultHostIp: readAddress(read, 'ip') ?? '',
  };
}

function containerSettings(read: Reader): ContainerSettings {
  return {
    cdiSpecDirs: read.optionalList('cdi-spec-dir'),
    cgroupParent: read.text('cgroup-parent', DEFAULT_CGROUP_PARENT),
    cgroupnsMode: parseCgroupnsMode(read.optional('default-cgroupns-mode')),
    ipcMode: parseIpcMode(read.text('default-ipc-mode', 'private')),
    shmSizeBytes:
      read.optional('default-shm-size') === undefined
        ? DEFAULT_SHM_BYTES
        : parseBytes(read.text('default-shm-size', '')),
    ulimits: Object.entries(read.map('default-ulimit')).map(([name, text]) => parseUlimit(name, text)),
    dns: read.list('dns', []).map((text) => checkAddress(text, 'dns')),
    dnsOptions: read.list('dns-opt', []),
    dnsSearch: read.list('dns-search', []),
    hostGatewayIp: readAddress(read, 'host-gateway-ip'),
    init: read.boolean('init', false),
    initPath: read.optional('init-path'),
    ...logSettings(read),
    selinux: read.boolean('selinux-enabled', false),
    noNewPrivileges: read.boolean('no-new-privileges', false),
    usernsRemap: read.optional('userns-remap'),
    seccompProfile:
      read.text('seccomp-profile', 'builtin') === 'builtin' ? undefined : read.text('seccomp-profile', ''),
  };
}

/** Typed access to options whose kinds the table has checked already. */
class Reader {
  readonly #given: GivenOptions;

  constructor(given: GivenOptions) {
    this.#given = given;
  }

  optional(name: OptionName): string | undefined {
    const value = this.#given[name];
    return value === undefined || value === '' ? undefined : String(value);
  }

  text(name: OptionName, fallback: string): string {
    return this.optional(name) ?? fallback;
  }

  boolean(name: OptionName, fallback: boolean): boolean {
    const value = this.#given[name];
    return typeof value === 'boolean' ? value : fallback;
  }

  integer(name: OptionName, fallback: number): number {
    const value = this.#given[name];
    return typeof value === 'number' ? value : fallback;
  }

  list(name: OptionName, fallback: readonly string[]): readonly string[] {
    return this.optionalList(name) ?? fallback;
  }

  optionalList(name: OptionName): readonly string[] | undefined {
    const value = this.#given[name];
    return Array.isArray(value) && value.length > 0 ? (value as readonly string[]) : undefined;
  }

  map(name: OptionName): Readonly<Record<string, string>> {
    const value = this.#given[name];
    return typeof value === 'object' && !Array.isArray(value)
      ? (value as Readonly<Record<string, string>>)
      : {};
  }
}

function readAddress(read: Reader, name: 'default-gateway' | 'host-gateway-ip' | 'ip'): string | undefined {
  const text = read.optional(name);
  return text === undefined ? undefined : checkAddress(text, name);
}

/** @throws `invalid_argument` with pflag's text. */
function checkAddress(text: string, name: OptionName): string {
  if (isIP(text) !== 0) return text;
  throw invalidArgument(
    `invalid argument ${JSON.stringify(text)} for "--${name}" flag: ${text} is not an ip address`,
  );
}

function parseLogLevel(text: string): LogLevel {
  const level = ({ warning: 'warn', fatal: 'error', panic: 'error' } as Record<string, string>)[text] ?? text;
  const known = LOG_LEVELS.find((candidate) => candidate === level);
  if (known === undefined) throw invalidArgument(`invalid logging level: ${text}`);
  return known;
}

function parseLogFormat(text: string): 'json' | 'text' {
  if (text === 'json' || text === 'text') return text;
  throw invalidArgument(`invalid log format: ${text}`);
}

/** Options of the default driver are checked once, not at every container. */
function logSettings(read: Reader): Pick<ContainerSettings, 'logDriver' | 'logOptions'> {
  const [logDriver, logOptions] = [read.text('log-driver', 'json-file'), read.map('log-opt')];
  try {
    resolveLogging({ type: logDriver, config: logOptions });
  } catch (cause) {
    throw invalidArgument(`failed to set log opts: ${errorMessage(cause)}`, { cause });
  }
  return { logDriver, logOptions };
}

function checkLabels(labels: readonly string[]): readonly string[] {
  const known = new Map<string, string>();
  for (const label of labels) {
    const at = label.indexOf('=');
    if (at < 0) throw invalidArgument(`bad attribute format: ${label}`);
    const [key, other] = [label.slice(0, at), known.get(label.slice(0, at))];
    if (other !== undefined && other !== label) {
      throw invalidArgument(`conflict labels for ${label} and ${other}`);
    }
    known.set(key, label);
  }
  return [...known.values()];
}

const DEFAULT_MTU = 1500;

function parseMtu(mtu: number): number {
  if (mtu < 0) throw invalidArgument(`invalid default MTU: ${mtu}`);
  return mtu || DEFAULT_MTU;
}

/** Containers join the IPC namespace of another one, or the host's, only by name. */
function parseIpcMode(text: string): 'private' | 'shareable' {
  if (text === 'private' || text === 'shareable') return text;
  const hint = 'use "shareable" or "private"';
  if (text === 'none' || text === 'host' || text.startsWith('container:')) {
    throw invalidArgument(`IPC mode "${text}" is not supported as default value; ${hint}`);
  }
  throw invalidArgument(`default IPC mode setting (${text}) is invalid; ${hint}`);
}

const COUNTS = {
  'max-concurrent-downloads': 'max concurrent downloads',
  'max-concurrent-uploads': 'max concurrent uploads',
  'max-download-attempts': 'max download attempts',
} as const satisfies Partial<Record<OptionName, string>>;
const STORAGE_DRIVER = 'overlay2';

/** Values that change nothing here, but that dockerd refuses. */
function checkUnused(read: Reader): void {
  for (const [name, what] of Object.entries(COUNTS)) {
    const count = read.integer(name as keyof typeof COUNTS, 1);
    if (count < 0) throw invalidArgument(`invalid ${what}: ${count}`);
  }
  const driver = read.text('storage-driver', STORAGE_DRIVER);
  if (driver !== STORAGE_DRIVER) {
    throw invalidArgument(`error initializing graphdriver: driver not supported: ${driver}`);
  }
}

function parseCgroupnsMode(text: string | undefined): 'host' | 'private' | undefined {
  if (text === undefined || text === 'host' || text === 'private') return text;
  throw invalidArgument(`invalid default cgroup namespace mode: ${text} (expected "host" or "private")`);
}

/** `base=10.10.0.0/16,size=24`. */
function parseAddressPool(text: string): { base: string; size: number } {
  const fields = Object.fromEntries(
    text
      .toLowerCase()
      .split(',')
      .map((part) => part.split('=', 2)),
  );
  const base = fields['base'];
  const size = Number(fields['size']);
  if (
    typeof base !== 'string' ||
    !/^\d+\.\d+\.\d+\.\d+\/\d+$/.test(base) ||
    !Number.isInteger(size) ||
    size < 1 ||
    size > 30
  ) {
    throw invalidArgument(
      `invalid default address pool: ${JSON.stringify(text)} (expected base=CIDR,size=BITS)`,
    );
  }
  return { base, size };
}

function parseUlimit(name: string, text: string): { name: string; soft: number; hard: number } {
  const [soft = '', hard = soft] = text.split(':');
  if (!/^-?\d+$/.test(soft) || !/^-?\d+$/.test(hard))
    throw invalidArgument(`invalid ulimit argument: ${name}=${text}`);
  return { name, soft: Number(soft), hard: Number(hard) };
}

function parseRuntime(name: string, text: string): { path: string; args: readonly string[] } {
  const [path = '', ...args] = text.split(' ');
  if (path === '') throw invalidArgument(`invalid runtime ${JSON.stringify(name)}: a path is needed`);
  return { path, args };
}
