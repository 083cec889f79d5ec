import { defineFlags } from '../../flags/spec.ts';
import { validateGpus } from './gpus.ts';
import { validateMount } from './mounts.ts';
import { validateNetwork } from './networks.ts';
import { validateUlimit } from './ulimits.ts';
import * as check from './validators.ts';

const RESOURCE_FLAGS = defineFlags({
  'blkio-weight': {
    type: 'uint16',
    summary: 'Relative block I/O weight, 10 to 1000; 0 turns it off',
    default: '0',
  },
  'blkio-weight-device': {
    type: 'list',
    summary: 'Relative block I/O weight of one device (path:weight)',
    validate: check.validateWeight,
  },
  'cgroup-parent': { type: 'string', summary: 'Control group to put the container under' },
  'cpu-count': { type: 'int64', summary: 'Number of CPUs (Windows only)', hidden: true, onlyOn: 'windows' },
  'cpu-percent': { type: 'int64', summary: 'CPU percentage (Windows only)', hidden: true, onlyOn: 'windows' },
  'cpu-period': { type: 'int64', summary: 'Length of a CFS period, in microseconds' },
  'cpu-quota': { type: 'int64', summary: 'CPU time within each CFS period, in microseconds' },
  'cpu-rt-period': { type: 'int64', summary: 'Length of a real-time period, in microseconds' },
  'cpu-rt-runtime': { type: 'int64', summary: 'Real-time CPU time within each period, in microseconds' },
  'cpu-shares': { type: 'int64', short: 'c', summary: 'Relative share of CPU time' },
  cpus: { type: 'decimal', summary: 'How many CPUs it may use, such as 1.5' },
  'cpuset-cpus': { type: 'string', summary: 'CPUs it may run on (0-3, 0,1)' },
  'cpuset-mems': { type: 'string', summary: 'Memory nodes it may use (0-3, 0,1)' },
  device: {
    type: 'list',
    summary: 'Host device to add (host[:container[:rwm]]) or a CDI name',
  },
  'device-cgroup-rule': {
    type: 'list',
    summary: 'Rule to add to the allowed devices',
    validate: check.validateDeviceCgroupRule,
  },
  'device-read-bps': {
    type: 'list',
    summary: 'Limit reading from a device (path:bytes a second)',
    validate: check.validateBpsRate,
  },
  'device-read-iops': {
    type: 'list',
    summary: 'Limit reads of a device (path:operations a second)',
    validate: check.validateIopsRate,
  },
  'device-write-bps': {
    type: 'list',
    summary: 'Limit writing to a device (path:bytes a second)',
    validate: check.validateBpsRate,
  },
  'device-write-iops': {
    type: 'list',
    summary: 'Limit writes of a device (path:operations a second)',
    validate: check.validateIopsRate,
  },
  gpus: {
    type: 'list',
    typeName: 'gpu-request',
    summary: "GPUs to add ('all' for every one)",
    validate: validateGpus,
  },
  'io-maxbandwidth': {
    type: 'bytes',
    summary: 'I/O bandwidth of the system drive (Windows only)',
    hidden: true,
    onlyOn: 'windows',
  },
  'io-maxiops': {
    type: 'uint64',
    summary: 'I/O operations of the system drive (Windows only)',
    hidden: true,
    onlyOn: 'windows',
  },
  'kernel-memory': { type: 'bytes', summary: 'Kernel memory limit', hidden: true },
  memory: { type: 'bytes', short: 'm', summary: 'Memory limit' },
  'memory-reservation': { type: 'bytes', summary: 'Memory it is pushed back to when memory is short' },
  'memory-swap': { type: 'memswap', summary: "Limit of memory and swap together: '-1' for unlimited swap" },
  'memory-swappiness': {
    type: 'int64',
    summary: 'How readily its memory is swapped out (0 to 100)',
    default: '-1',
  },
  'oom-kill-disable': { type: 'bool', summary: 'Do not kill it when it runs out of memory' },
  'oom-score-adj': {
    type: 'int',
    summary: 'How likely it is killed when the host runs out of memory (-1000 to 1000)',
  },
  'pids-limit': { type: 'int64', summary: 'Limit of processes and threads (-1 for unlimited)' },
  'shm-size': { type: 'bytes', summary: 'Size of /dev/shm' },
  ulimit: {
    type: 'list',
    typeName: 'ulimit',
    summary: 'Process limit (name=soft[:hard])',
    validate: validateUlimit,
  },
});

const NETWORK_FLAGS = defineFlags({
  'add-host': {
    type: 'list',
    summary: 'Line to add to /etc/hosts (host:ip)',
    validate: check.validateExtraHost,
  },
  dns: { type: 'list', summary: 'DNS server', validate: check.validateIp },
  'dns-opt': { type: 'list', summary: 'DNS resolver option', hidden: true },
  'dns-option': { type: 'list', summary: 'DNS resolver option' },
  'dns-search': { type: 'list', summary: 'DNS search domain', validate: check.validateDnsSearch },
  domainname: { type: 'string', summary: 'NIS domain name' },
  expose: { type: 'list', summary: 'Port or range of ports the container listens on' },
  hostname: { type: 'string', short: 'h', summary: 'Host name' },
  ip: { type: 'string', summary: 'IPv4 address (such as 172.30.100.104)' },
  ip6: { type: 'string', summary: 'IPv6 address (such as 2001:db8::33)' },
  link: { type: 'list', summary: 'Link to another container (name[:alias])', validate: check.validateLink },
  'link-local-ip': { type: 'list', summary: 'Link-local address' },
  'mac-address': { type: 'string', summary: 'MAC address (such as 92:d0:c6:0a:29:33)' },
  net: {
    type: 'list',
    typeName: 'network',
    summary: 'Network to connect to',
    validate: validateNetwork,
    hidden: true,
  },
  'net-alias': { type: 'list', summary: 'Name in its networks', hidden: true },
  network: { type: 'list', typeName: 'network', summary: 'Network to connect to', validate: validateNetwork },
  'network-alias': { type: 'list', summary: 'Name in its networks' },
  publish: {
    type: 'list',
    short: 'p',
    summary: 'Publish a port to the host ([[ip:][port]:]container port[/protocol])',
  },
  'publish-all': {
    type: 'bool',
    short: 'P',
    summary: 'Publish all exposed ports to ports the engine chooses',
  },
});

const HEALTH_FLAGS = defineFlags({
  'health-cmd': { type: 'string', summary: 'Command that checks its health' },
  'health-interval': { type: 'duration', summary: 'Time between two checks (ms|s|m|h)' },
  'health-retries': { type: 'int', summary: 'Failures in a row that make it unhealthy' },
  'health-start-interval': {
    type: 'duration',
    summary: 'Time between two checks while it starts (ms|s|m|h)',
  },
  'health-start-period': {
    type: 'duration',
    summary: 'Time it may take to start before failures count (ms|s|m|h)',
  },
  'health-timeout': { type: 'duration', summary: 'Time one check may take (ms|s|m|h)' },
  'no-healthcheck': { type: 'bool', summary: "Turn off the image's health check" },
});

const STORAGE_FLAGS = defineFlags({
  mount: {
    type: 'list',
    typeName: 'mount',
    summary: 'Mount to add (type=bind|volume|tmpfs|image,source=…,target=…)',
    validate: validateMount,
  },
  'read-only': { type: 'bool', summary: 'Make its root file system read-only' },
  'storage-opt': { type: 'list', summary: 'Option of the storage driver, such as size=10G' },
  tmpfs: { type: 'list', summary: 'Directory to mount a tmpfs on (path[:options])' },
  volume: { type: 'list', short: 'v', summary: 'Directory or volume to mount ([source:]path[:options])' },
  'volume-driver': { type: 'string', summary: 'Driver of the volumes made for it' },
  'volumes-from': { type: 'list', summary: 'Container to take the volumes of' },
});

const SECURITY_FLAGS = defineFlags({
  'cap-add': { type: 'list', summary: 'Capability to add' },
  'cap-drop': { type: 'list', summary: 'Capability to drop' },
  cgroupns: {
    type: 'string',
    summary: "Control group namespace: 'host', 'private', or the daemon's default when empty",
  },
  'group-add': { type: 'list', summary: 'Group to join in addition' },
  ipc: { type: 'string', summary: 'IPC namespace' },
  pid: { type: 'string', summary: 'PID namespace' },
  privileged: { type: 'bool', summary: 'Give it all privileges of the host' },
  'security-opt': { type: 'list', summary: 'Security option' },
  sysctl: { type: 'map', summary: 'Kernel parameter', validate: check.validateSysctl },
  userns: { type: 'string', summary: 'User namespace' },
  uts: { type: 'string', summary: 'UTS namespace' },
});

/** Flags of `create`, and of `run`, which has a few more. */
export const CREATE_FLAGS = defineFlags({
  ...RESOURCE_FLAGS,
  ...NETWORK_FLAGS,
  ...HEALTH_FLAGS,
  ...STORAGE_FLAGS,
  ...SECURITY_FLAGS,
  annotation: { type: 'map', summary: 'Annotation passed on to the OCI runtime' },
  attach: {
    type: 'list',
    short: 'a',
    summary: 'Attach to STDIN, STDOUT or STDERR',
    validate: check.validateAttach,
  },
  cidfile: { type: 'string', summary: 'File to write the container ID to' },
  'disable-content-trust': {
    type: 'bool',
    summary: 'Skip image verification',
    default: 'true',
    hidden: true,
  },
  entrypoint: { type: 'string', summary: "Replace the image's entrypoint" },
  env: {
    type: 'list',
    short: 'e',
    summary: 'Environment variable (name=value, or name to pass on)',
    validate: check.validateEnv,
  },
  'env-file': { type: 'list', summary: 'File of environment variables' },
  help: { type: 'bool', summary: 'Show this text' },
  init: { type: 'bool', summary: 'Run an init that forwards signals and reaps processes' },
  interactive: { type: 'bool', short: 'i', summary: 'Keep standard input open even when not attached' },
  isolation: { type: 'string', summary: 'Isolation technology' },
  label: { type: 'list', short: 'l', summary: 'Label (key=value)', validate: check.validateLabel },
  'label-file': { type: 'list', summary: 'File of labels, one a line' },
  'log-driver': { type: 'string', summary: 'Log driver' },
  'log-opt': { type: 'list', summary: 'Option of the log driver' },
  name: { type: 'string', summary: 'Name of the container' },
  platform: { type: 'string', summary: 'Platform of the image (os[/arch[/variant]])' },
  pull: {
    type: 'string',
    summary: 'When to pull the image ("always", "missing", "never")',
    default: 'missing',
  },
  quiet: { type: 'bool', short: 'q', summary: 'No output of the pull' },
  restart: { type: 'string', summary: 'What to do when it exits', default: 'no' },
  rm: { type: 'bool', summary: 'Remove it and its anonymous volumes when it exits' },
  runtime: { type: 'string', summary: 'OCI runtime' },
  'stop-signal': { type: 'string', summary: 'Signal that stops it' },
  'stop-timeout': { type: 'int', summary: 'Seconds it has to stop before it is killed' },
  tty: { type: 'bool', short: 't', summary: 'Give it a terminal' },
  'use-api-socket': { type: 'bool', summary: "Mount the engine's socket, with the user's registry logins" },
  user: { type: 'string', short: 'u', summary: 'User and group (name|uid[:group|gid])' },
  workdir: { type: 'string', short: 'w', summary: 'Working directory' },
});

/** Flags of `run` alone. */
export const RUN_ONLY_FLAGS = defineFlags({
  detach: { type: 'bool', short: 'd', summary: 'Run in the background and print the container ID' },
  'detach-keys': { type: 'string', summary: 'Keys that detach from the container' },
  'sig-proxy': { type: 'bool', summary: 'Pass signals on to the container', default: 'true' },
});

export type CreateFlags = import('../../flags/spec.ts').FlagValues<typeof CREATE_FLAGS>;
