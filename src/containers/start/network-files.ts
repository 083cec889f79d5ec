import { chownSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname as readHostname } from 'node:os';
import { buildHosts, buildResolvConf, extraHostLines, resolvConfSource, type Sandbox } from '#network';
import { mappedRoot } from '#oci';
import type { ContainerDefaults } from '../defaults.ts';
import type { Engine } from '../engine.ts';
import { hostNamesOf, liveLinks } from '../links/linked.ts';
import type { Container } from '../model.ts';

const FILE_MODE = 0o644;

/** The hostname that the container sees. */
export const hostnameOf = ({ config, hostConfig }: Container): string =>
  config.hostname || (hostConfig.networkMode === 'host' ? readHostname() : '');

/**
 * Writes `hostname`, `hosts` and `resolv.conf` of a container that has a network of its own or the host's. They are
 * made anew at each start, so nothing is synced. They belong to the container's root.
 */
export function writeNetworkFiles(engine: Engine, container: Container, sandbox: Sandbox): void {
  const { defaults } = engine;
  const write = (path: string, text: string): void => {
    writeFileSync(path, text, { mode: FILE_MODE });
    if (!container.idMappings) return;
    const { uid, gid } = mappedRoot(container.idMappings);
    chownSync(path, uid, gid);
  };
  write(container.hostnamePath, `${hostnameOf(container)}\n`);
  write(container.hostsPath, hostsFile(engine, container, sandbox));
  write(container.resolvConfPath, resolvConf(container, sandbox, defaults));
}

function hostsFile(engine: Engine, container: Container, { endpoints, netnsPath }: Sandbox): string {
  const { config, hostConfig } = container;
  const addresses = endpoints.flatMap(({ ipv4Address, ipv6Address }) =>
    [ipv4Address, ipv6Address].filter(Boolean),
  );
  const hostGateway = hostGatewayOf(engine, endpoints);
  const own = buildHosts({
    hostname: hostnameOf(container),
    addresses,
    extraHosts: hostConfig.extraHosts,
    links: liveLinks(engine, container).map((link) => ({ address: link.address, names: hostNamesOf(link) })),
    ...(config.domainname ? { domainname: config.domainname } : {}),
    ...(hostGateway ? { hostGateway } : {}),
  });
  if (netnsPath !== undefined) return own;
  // With the host's network the host's own names stay valid; what docker adds comes after them.
  const host = readText('/etc/hosts');
  const extra = extraHostLines(hostConfig.extraHosts, hostGateway);
  const separator = host === '' || host.endsWith('\n') ? '' : '\n';
  return `${host}${separator}${extra.map((line) => `${line}\n`).join('')}`;
}

/** What the daemon was told, else the gateway of the container's network, else the default bridge's address. */
function hostGatewayOf({ defaults, network }: Engine, endpoints: Sandbox['endpoints']): string | undefined {
  const bridge = network.list().find(({ name }) => name === 'bridge');
  return (
    defaults.hostGatewayIp ??
    endpoints.find(({ gateway }) => gateway !== '')?.gateway ??
    bridge?.ipam[0]?.gateway
  );
}

function resolvConf({ hostConfig }: Container, sandbox: Sandbox, defaults: ContainerDefaults): string {
  const choose = (own: readonly string[], general: readonly string[]) => (own.length > 0 ? own : general);
  return buildResolvConf({
    host: readText(resolvConfSource(readText('/etc/resolv.conf'))),
    dns: choose(hostConfig.dns, defaults.dns),
    search: choose(hostConfig.dnsSearch, defaults.dnsSearch),
    options: choose(hostConfig.dnsOptions, defaults.dnsOptions),
    ownNamespace: sandbox.netnsPath !== undefined,
    ipv6: sandbox.endpoints.some(({ ipv6Address }) => ipv6Address !== ''),
  });
}

/** A host without the file has nothing to hand on. */
function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
