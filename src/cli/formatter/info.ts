import type { SystemInfo } from '#api';
import { formatBinaryBytes } from '#base';

/** The engine's part of `info`, as text. */
export function renderInfo(info: SystemInfo): string {
  return [
    counts(info),
    driver(info),
    plugins(info),
    swarm(info),
    runtimes(info),
    security(info),
    machine(info),
    proxies(info),
    registries(info),
  ].join('');
}

const line = (label: string, value: unknown, indent = 1): string =>
  `${' '.repeat(indent)}${label}: ${value}\n`;
const optional = (label: string, value: unknown): string => (value ? line(label, value) : '');

function counts(info: SystemInfo): string {
  return [
    line('Containers', info.Containers),
    line('Running', info.ContainersRunning, 2),
    line('Paused', info.ContainersPaused, 2),
    line('Stopped', info.ContainersStopped, 2),
    line('Images', info.Images),
    optional('Server Version', info.ServerVersion),
  ].join('');
}

function driver(info: SystemInfo): string {
  const status = (info.DriverStatus ?? []).map(([key, value]) => line(key, value, 2)).join('');
  return [
    line('Storage Driver', info.Driver),
    status,
    optional('Logging Driver', info.LoggingDriver),
    optional('Cgroup Driver', info.CgroupDriver),
    optional('Cgroup Version', info.CgroupVersion),
  ].join('');
}

function plugins({ Plugins }: SystemInfo): string {
  const authorization = Plugins?.Authorization ?? [];
  return [
    ' Plugins:\n',
    line('Volume', (Plugins?.Volume ?? []).join(' '), 2),
    line('Network', (Plugins?.Network ?? []).join(' '), 2),
    authorization.length > 0 ? line('Authorization', authorization.join(' '), 2) : '',
    line('Log', (Plugins?.Log ?? []).join(' '), 2),
  ].join('');
}

function swarm({ Swarm }: SystemInfo): string {
  const state = Swarm?.LocalNodeState;
  const head = line('Swarm', state === '' || state === undefined ? 'inactive' : state);
  if (!Swarm || state === 'inactive' || state === '' || state === 'locked') return head;
  return `${head}${line('NodeID', Swarm.NodeID, 2)}${line('Is Manager', Swarm.ControlAvailable, 2)}`;
}

function runtimes(info: SystemInfo): string {
  const names = Object.keys(info.Runtimes ?? {});
  const commit = (label: string, value: { readonly ID: string } | undefined) =>
    value?.ID === undefined ? '' : line(label, value.ID);
  return [
    names.length > 0 ? line('Runtimes', names.join(' ')) : '',
    names.length > 0 ? line('Default Runtime', info.DefaultRuntime) : '',
    optional('Init Binary', info.InitBinary),
    commit('containerd version', info.ContainerdCommit),
    commit('runc version', info.RuncCommit),
    commit('init version', info.InitCommit),
  ].join('');
}

/** `name=seccomp,profile=default` becomes two lines. */
function security({ SecurityOptions }: SystemInfo): string {
  const options = SecurityOptions ?? [];
  if (options.length === 0) return '';
  const lines = options.map((option) => {
    const fields = option.split(',').map((field) => field.split('=') as [string, string?]);
    const name = fields.find(([key]) => key === 'name')?.[1] ?? option;
    const rest = fields.filter(([key]) => key !== 'name' && key !== option);
    return `  ${name}\n${rest.map(([key, value]) => line(key === 'profile' ? 'Profile' : key, value ?? '', 3)).join('')}`;
  });
  return ` Security Options:\n${lines.join('')}`;
}

function machine(info: SystemInfo): string {
  return [
    optional('Kernel Version', info.KernelVersion),
    optional('Operating System', info.OperatingSystem),
    optional('OSType', info.OSType),
    optional('Architecture', info.Architecture),
    line('CPUs', info.NCPU),
    line('Total Memory', formatBinaryBytes(info.MemTotal ?? 0)),
    optional('Name', info.Name),
    optional('ID', info.ID),
    line('Docker Root Dir', info.DockerRootDir),
    line('Debug Mode', info.Debug),
    info.Debug ? debugging(info) : '',
  ].join('');
}

const debugging = (info: SystemInfo): string =>
  [
    line('File Descriptors', info.NFd, 2),
    line('Goroutines', info.NGoroutines, 2),
    line('System Time', info.SystemTime, 2),
    line('EventsListeners', info.NEventsListener, 2),
  ].join('');

function proxies(info: SystemInfo): string {
  const labels = info.Labels ?? [];
  return [
    optional('HTTP Proxy', info.HttpProxy),
    optional('HTTPS Proxy', info.HttpsProxy),
    optional('No Proxy', info.NoProxy),
    labels.length > 0 ? ` Labels:\n${labels.map((label) => `  ${label}\n`).join('')}` : '',
    line('Experimental', info.ExperimentalBuild ?? false),
  ].join('');
}

function registries(info: SystemInfo): string {
  const config = info.RegistryConfig;
  const insecure = [
    ...Object.values(config?.IndexConfigs ?? {})
      .filter(({ Secure }) => !Secure)
      .map(({ Name }) => Name),
    ...(config?.InsecureRegistryCIDRs ?? []),
  ];
  const mirrors = config?.Mirrors ?? [];
  const pools = info.DefaultAddressPools ?? [];
  return [
    insecure.length > 0 ? ` Insecure Registries:\n${insecure.map((name) => `  ${name}\n`).join('')}` : '',
    mirrors.length > 0 ? ` Registry Mirrors:\n${mirrors.map((name) => `  ${name}\n`).join('')}` : '',
    line('Live Restore Enabled', info.LiveRestoreEnabled ?? false),
    optional('Product License', info.ProductLicense),
    pools.length > 0
      ? ` Default Address Pools:\n${pools.map(({ Base, Size }) => `   Base: ${Base}, Size: ${Size}\n`).join('')}`
      : '',
    info.FirewallBackend ? line('Firewall Backend', info.FirewallBackend.Driver) : '',
  ].join('');
}
