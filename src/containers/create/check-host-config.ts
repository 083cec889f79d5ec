import { isIP } from 'node:net';
import { invalidArgument } from '#base';
import { linksNeedNetwork } from '../errors.ts';
import type { ContainerConfig, HostConfig, RestartPolicy } from '../model.ts';
import { checkMountRequest } from '../mounts/request.ts';

/**
 * Checks how the container meets the host, without touching the kernel.
 * @throws `invalid_argument` with docker's texts. Source: moby `daemon/container.go`, `daemon/daemon_unix.go`,
 * `daemon/internal/runconfig`.
 */
export function checkHostConfig(config: ContainerConfig, host: HostConfig, name: string | undefined): void {
  checkRestartPolicy(host.restartPolicy);
  if (host.autoRemove && host.restartPolicy.name !== 'no') {
    throw invalidArgument("can't create 'AutoRemove' container with restart policy");
  }
  for (const mount of host.mounts) checkMountRequest(mount);
  for (const entry of host.extraHosts) checkExtraHost(entry);
  checkModes(config, host);
  checkNetworkMode(config, host);
  if (name !== undefined) checkDonors(host, name);
  if (host.shmSize < 0) throw invalidArgument('SHM size can not be less than 0');
  if (host.oomScoreAdj < -1000 || host.oomScoreAdj > 1000) {
    throw invalidArgument(`Invalid value ${host.oomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  }
  if (!['', 'default'].includes(host.isolation)) {
    throw invalidArgument(`invalid isolation (${host.isolation}): linux only supports 'default'`);
  }
  if (Object.hasOwn(host.annotations, '')) {
    throw invalidArgument('invalid Annotations: the empty string is not permitted as an annotation key');
  }
}

/** @throws `invalid_argument`. */
export function checkRestartPolicy({ name, maximumRetryCount }: RestartPolicy): void {
  if (maximumRetryCount < 0) {
    throw invalidArgument('invalid restart policy: maximum retry count cannot be negative');
  }
  if (maximumRetryCount > 0 && name !== 'on-failure') {
    throw invalidArgument("invalid restart policy: maximum retry count can only be used with 'on-failure'");
  }
  if (!['no', 'always', 'unless-stopped', 'on-failure'].includes(name)) {
    throw invalidArgument(
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
}

function checkExtraHost(entry: string): void {
  const colon = entry.indexOf(':');
  const address = entry.slice(colon + 1).replace(/^\[(.*)\]$/, '$1');
  if (colon <= 0) throw invalidArgument(`bad format for add-host: ${JSON.stringify(entry)}`);
  if (address !== 'host-gateway' && isIP(address) === 0) {
    throw invalidArgument(`invalid IP address in add-host: ${JSON.stringify(address)}`);
  }
}

const isContainerMode = (mode: string): boolean => /^container:.+/.test(mode);

function checkModes(config: ContainerConfig, host: HostConfig): void {
  const isIpc =
    ['', 'none', 'private', 'shareable', 'host'].includes(host.ipcMode) || isContainerMode(host.ipcMode);
  if (!isIpc) throw invalidArgument(`invalid IPC mode: ${host.ipcMode}`);
  if (!['', 'host'].includes(host.pidMode) && !isContainerMode(host.pidMode)) {
    throw invalidArgument(`invalid PID mode: ${host.pidMode}`);
  }
  if (!['', 'host'].includes(host.utsMode)) throw invalidArgument(`invalid UTS mode: ${host.utsMode}`);
  if (!['', 'host', 'private'].includes(host.cgroupnsMode)) {
    throw invalidArgument(`invalid cgroup namespace mode: ${host.cgroupnsMode}`);
  }
  if (!['', 'host'].includes(host.usernsMode)) {
    throw invalidArgument(`invalid USER mode: ${host.usernsMode}`);
  }
  if (host.utsMode === 'host' && config.hostname !== '') {
    throw invalidArgument('conflicting options: hostname and the UTS mode');
  }
}

const CONTAINER_NETWORK_CONFLICTS: readonly (readonly [
  text: string,
  applies: (config: ContainerConfig, host: HostConfig) => boolean,
])[] = [
  ['hostname and the network mode', (config) => config.hostname !== ''],
  [
    "container type network can't be used with links. This would result in undefined behavior",
    (_, host) => host.links.length > 0,
  ],
  ['dns and the network mode', (_, host) => host.dns.length > 0],
  ['custom host-to-IP mapping and the network mode', (_, host) => host.extraHosts.length > 0],
  [
    'port publishing and the container type network mode',
    (_, host) => Object.keys(host.portBindings).length > 0 || host.publishAllPorts,
  ],
  ['port exposing and the container type network mode', (config) => config.exposedPorts.length > 0],
];

/** Must see the user's config before the image's is merged in: an image may well expose ports. */
function checkNetworkMode(config: ContainerConfig, host: HostConfig): void {
  if (['container', 'container:'].includes(host.networkMode)) {
    throw invalidArgument('Invalid network mode: invalid container format container:<name|id>');
  }
  if (isContainerMode(host.networkMode)) {
    const conflict = CONTAINER_NETWORK_CONFLICTS.find(([, applies]) => applies(config, host));
    if (conflict) throw invalidArgument(`conflicting options: ${conflict[0]}`);
  }
  if (host.networkMode === 'host' && host.links.length > 0) {
    throw linksNeedNetwork();
  }
}

/** The name is not the container's yet: looked up, it would be missing. */
function checkDonors(host: HostConfig, name: string): void {
  const own = `container:${name.replace(/^\//, '')}`;
  const modes = [
    ['network', host.networkMode],
    ['IPC', host.ipcMode],
    ['PID', host.pidMode],
  ] as const;
  const joined = modes.find(([, mode]) => mode === own);
  if (joined) throw invalidArgument(`cannot join own ${joined[0]} namespace`);
}
