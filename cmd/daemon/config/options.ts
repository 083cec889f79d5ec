/** The type of a daemon option's value: how a flag is read and what daemon.json may hold. */
export type OptionKind = 'boolean' | 'string' | 'integer' | 'list' | 'map' | 'any';

export interface DaemonOption {
  readonly kind: OptionKind;
  readonly short?: string;
  /** Key in daemon.json. Default: the flag's name; for lists their plural as docker has it. */
  readonly key?: string;
  readonly summary: string;
  /** What stands after the flag's name in the help. */
  readonly placeholder?: string;
  /** SIGHUP applies a change of it. */
  readonly reloadable?: true;
  /** Known but without effect in this version: given, it is warned of. */
  readonly inert?: true;
  /** An entry of daemon.json without a flag. */
  readonly fileOnly?: true;
  /**
   * Known, without effect, and dangerous to ignore: given, the daemon refuses to start.
   */
  readonly refused?: true;
}

/**
 * Every option of the daemon by flag name, with dockerd's names and daemon.json keys, so that existing unit files
 * and configuration files go on working.
 */
export const DAEMON_OPTIONS = {
  'add-runtime': {
    kind: 'map',
    key: 'runtimes',
    summary: 'Register an additional OCI runtime (name=path)',
    placeholder: 'runtime',
  },
  bip: { kind: 'string', summary: 'Address of the default bridge with its prefix length (CIDR)' },
  bridge: {
    kind: 'string',
    short: 'b',
    summary: 'Use this existing bridge as the default network; "none": no default network',
  },
  'cdi-spec-dir': {
    kind: 'list',
    key: 'cdi-spec-dirs',
    summary: 'Directory of CDI specifications; later ones win (default "/etc/cdi", "/var/run/cdi")',
  },
  'cgroup-parent': { kind: 'string', summary: 'Parent cgroup of all containers (default "/gantry")' },
  'config-file': { kind: 'string', summary: 'Configuration file (default "/etc/gantry/daemon.json")' },
  'data-root': { kind: 'string', summary: 'Root directory of persistent state (default "/var/lib/gantry")' },
  debug: { kind: 'boolean', short: 'D', summary: 'Log debug messages', reloadable: true },
  'default-address-pool': {
    kind: 'list',
    key: 'default-address-pools',
    summary: 'Address pool for networks (base=CIDR,size=BITS)',
    placeholder: 'pool-options',
  },
  'default-cgroupns-mode': {
    kind: 'string',
    summary: 'Cgroup namespace of containers: "host" or "private" (default: "private" with cgroup v2)',
  },
  'default-gateway': { kind: 'string', summary: 'Default gateway of containers on the default bridge' },
  'default-gateway-v6': { kind: 'string', summary: 'IPv6 gateway of the default bridge', inert: true },
  'default-ipc-mode': { kind: 'string', summary: 'IPC namespace of containers: "shareable" or "private"' },
  'default-runtime': {
    kind: 'string',
    summary: 'OCI runtime of containers that name none (default "crun")',
  },
  'default-shm-size': {
    kind: 'string',
    summary: 'Size of /dev/shm in containers (default 64MiB)',
    placeholder: 'bytes',
    reloadable: true,
  },
  'default-ulimit': {
    kind: 'map',
    key: 'default-ulimits',
    summary: 'Default ulimit of containers (name=soft[:hard])',
    placeholder: 'ulimit',
  },
  dns: { kind: 'list', summary: 'DNS server of containers' },
  'dns-opt': { kind: 'list', key: 'dns-opts', summary: 'DNS option of containers' },
  'dns-search': { kind: 'list', summary: 'DNS search domain of containers' },
  'exec-opt': { kind: 'list', key: 'exec-opts', summary: 'Runtime execution option', inert: true },
  'exec-root': { kind: 'string', summary: 'Root directory of execution state (default "/run/gantry")' },
  experimental: { kind: 'boolean', summary: 'Report experimental features as enabled' },
  'fixed-cidr': { kind: 'string', summary: 'Part of the bridge subnet that containers get addresses of' },
  'fixed-cidr-v6': { kind: 'string', summary: 'IPv6 subnet of the default bridge', inert: true },
  group: { kind: 'string', short: 'G', summary: 'Group that owns the Unix socket (default "docker")' },
  host: {
    kind: 'list',
    key: 'hosts',
    short: 'H',
    summary: 'Endpoint to listen on (unix://, tcp://, fd://); repeatable',
  },
  'host-gateway-ip': {
    kind: 'string',
    summary: 'Address that "host-gateway" stands for in --add-host (default: the bridge\'s)',
  },
  icc: {
    kind: 'boolean',
    summary: 'Let containers of the default bridge reach each other (default true)',
  },
  init: { kind: 'boolean', summary: 'Run an init in every container' },
  'init-path': { kind: 'string', summary: 'Path of the init binary' },
  'insecure-registry': {
    kind: 'list',
    key: 'insecure-registries',
    summary: 'Registry to speak to without TLS',
    inert: true,
  },
  ip: {
    kind: 'string',
    summary: 'Default host address of published ports (default 0.0.0.0)',
    placeholder: 'ip',
  },
  'ip-forward': { kind: 'boolean', summary: 'Enable IP forwarding on the host (default true)' },
  'ip-masq': { kind: 'boolean', summary: 'Masquerade what leaves the bridge (default true)' },
  iptables: {
    kind: 'boolean',
    summary: 'Manage the firewall rules of containers (default true)',
  },
  ipv6: { kind: 'boolean', summary: 'Enable IPv6 on the default bridge', inert: true },
  label: { kind: 'list', key: 'labels', summary: 'Label of this daemon (key=value)', reloadable: true },
  'live-restore': {
    kind: 'boolean',
    summary: 'Let containers run on while no daemon runs (default true)',
    reloadable: true,
  },
  'log-driver': { kind: 'string', summary: 'Log driver of containers that name none (default "json-file")' },
  'log-format': { kind: 'string', summary: 'Format of the daemon\'s own log: "text" or "json"' },
  'log-level': {
    kind: 'string',
    short: 'l',
    summary: 'Lowest level logged: debug, info, warn, error (default "info")',
    reloadable: true,
  },
  'log-opt': { kind: 'map', key: 'log-opts', summary: 'Default option of the log driver (key=value)' },
  mtu: { kind: 'integer', summary: 'MTU of the default bridge (default 1500)' },
  'no-new-privileges': { kind: 'boolean', summary: 'Set no-new-privileges in every container' },
  pidfile: {
    kind: 'string',
    short: 'p',
    summary: 'File to write the process ID to (default "/run/gantry.pid")',
  },
  'raw-logs': { kind: 'boolean', summary: 'Accepted for compatibility', inert: true },
  'registry-mirror': {
    kind: 'list',
    key: 'registry-mirrors',
    summary: 'Mirror of the default registry',
    inert: true,
  },
  'seccomp-profile': {
    kind: 'string',
    summary: 'Default seccomp profile: a path, "builtin" or "unconfined"',
  },
  'shutdown-timeout': {
    kind: 'integer',
    summary: 'Seconds that stopping containers may take at shutdown (default 15)',
    reloadable: true,
  },
  'storage-driver': {
    kind: 'string',
    short: 's',
    summary: 'Storage driver (default: the best that works here)',
  },
  'storage-opt': { kind: 'list', key: 'storage-opts', summary: 'Option of the storage driver', inert: true },
  'userland-proxy': {
    kind: 'boolean',
    summary: 'Accepted for compatibility: Gantry needs no proxy processes',
    inert: true,
  },
  'insecure-tcp': {
    kind: 'boolean',
    summary: 'Allow tcp:// without client certificates off the loopback: whoever reaches it owns the host',
  },
  'authorization-plugin': {
    kind: 'list',
    key: 'authorization-plugins',
    summary: 'Authorization plugin',
    refused: true,
  },
  'selinux-enabled': { kind: 'boolean', summary: 'Give containers SELinux labels' },
  'userns-remap': {
    kind: 'string',
    summary: 'Map users of containers to subordinate IDs of this user ("default", user[:group], uid[:gid])',
  },
  'allow-direct-routing': unused('boolean'),
  'allow-nondistributable-artifacts': unused('list'),
  'api-cors-header': unused('string'),
  bip6: unused('string'),
  'bridge-accept-fwmark': unused('string'),
  builder: unused('any', { fileOnly: true }),
  containerd: unused('string'),
  'containerd-namespace': unused('string'),
  'containerd-plugins-namespace': unused('string'),
  'cpu-rt-period': unused('integer'),
  'cpu-rt-runtime': unused('integer'),
  'cri-containerd': unused('boolean'),
  'deprecated-key-path': unused('string'),
  'default-network-opt': unused('any', { key: 'default-network-opts' }),
  'firewall-backend': unused('string'),
  feature: unused('any', { key: 'features' }),
  'http-proxy': unused('string'),
  'https-proxy': unused('string'),
  'ip-forward-no-drop': unused('boolean'),
  ip6tables: unused('boolean'),
  'max-concurrent-downloads': unused('integer'),
  'max-concurrent-uploads': unused('integer'),
  'max-download-attempts': unused('integer'),
  'metrics-addr': unused('string'),
  'min-api-version': unused('string', { fileOnly: true }),
  'network-control-plane-mtu': unused('integer'),
  'network-diagnostic-port': unused('integer'),
  'no-proxy': unused('string'),
  'node-generic-resource': unused('list', { key: 'node-generic-resources' }),
  'oom-score-adjust': unused('integer'),
  proxies: unused('any', { fileOnly: true }),
  rootless: unused('boolean'),
  'swarm-default-advertise-addr': unused('string'),
  'swarm-raft-election-tick': unused('integer'),
  'swarm-raft-heartbeat-tick': unused('integer'),
  'userland-proxy-path': unused('string'),
  tls: { kind: 'boolean', summary: 'Use TLS on TCP sockets; implied by --tlsverify' },
  tlscacert: {
    kind: 'string',
    summary: 'Trust only client certificates that this CA has signed (default "~/.docker/ca.pem")',
  },
  tlscert: { kind: 'string', summary: 'Certificate of this daemon (default "~/.docker/cert.pem")' },
  tlskey: { kind: 'string', summary: 'Key of this daemon\'s certificate (default "~/.docker/key.pem")' },
  tlsverify: { kind: 'boolean', summary: 'Use TLS and let in only clients with a certificate' },
} as const satisfies Record<string, DaemonOption>;

/** An option of dockerd's that means nothing here. */
function unused(kind: OptionKind, more: Pick<DaemonOption, 'key' | 'fileOnly'> = {}) {
  return { kind, summary: 'Accepted for compatibility', inert: true, ...more } as const;
}

export type OptionName = keyof typeof DAEMON_OPTIONS;

/** The option's row with its optional columns. */
export const daemonOption = (name: OptionName): DaemonOption => DAEMON_OPTIONS[name];

export const OPTION_NAMES = Object.keys(DAEMON_OPTIONS) as OptionName[];

/** The key of an option in daemon.json. */
export const configKey = (name: OptionName): string => daemonOption(name).key ?? name;
