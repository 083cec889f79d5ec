import type { EndpointSettings, PortBinding, PortMap } from '#api';
import { shortId } from '#base';
import type { ContainerView } from '#containers';
import type { Endpoint, EndpointRequest } from '#network';
import { byKey, omitEmpty, omitEmptyObject, orNull } from './zero.ts';

/** What the network room can add to a container that does not run. Answers undefined for a network that is gone. */
export type NetworkIdOf = (network: string) => string | undefined;

const NO_ENDPOINT = {
  NetworkID: '',
  EndpointID: '',
  Gateway: '',
  IPAddress: '',
  MacAddress: '',
  IPPrefixLen: 0,
  IPv6Gateway: '',
  GlobalIPv6Address: '',
  GlobalIPv6PrefixLen: 0,
} as const;

/** Networks on which ports are not mapped. */
const UNMAPPED = new Set(['host', 'none']);

const BUILT_IN = new Set(['bridge', 'host', 'none', 'default']);

/** The networks of a container by name: those it is plugged into, or will be when it starts. */
export function networksOf(view: ContainerView, networkIdOf: NetworkIdOf): Record<string, EndpointSettings> {
  const live = view.sandbox?.endpoints ?? [];
  if (live.length > 0) {
    return Object.fromEntries(
      live.map((endpoint) => [
        endpoint.networkName,
        endpointSettings(view, endpoint.networkName, liveEndpoint(endpoint)),
      ]),
    );
  }
  return Object.fromEntries(
    wantedNetworks(view).map((name) => [
      name,
      endpointSettings(view, name, { ...NO_ENDPOINT, NetworkID: networkIdOf(name) ?? '' }),
    ]),
  );
}

/** Whether the container is plugged into its networks. */
export const hasEndpoints = ({ sandbox }: ContainerView): boolean => (sandbox?.endpoints.length ?? 0) > 0;

/** Names of the networks that a container without endpoints will be plugged into. */
export function wantedNetworks(view: ContainerView): string[] {
  const mode = view.hostConfig.networkMode;
  if (mode.startsWith('container:')) return [];
  const primary = mode === 'default' || mode === '' ? 'bridge' : mode;
  return [...new Set([primary, ...Object.keys(view.endpoints)])];
}

function liveEndpoint(endpoint: Endpoint): { readonly [K in keyof typeof NO_ENDPOINT]: string | number } {
  return {
    NetworkID: endpoint.networkId,
    EndpointID: endpoint.id,
    Gateway: endpoint.gateway,
    IPAddress: endpoint.ipv4Address,
    MacAddress: endpoint.macAddress,
    IPPrefixLen: endpoint.ipv4PrefixLength,
    IPv6Gateway: endpoint.ipv6Gateway,
    GlobalIPv6Address: endpoint.ipv6Address,
    GlobalIPv6PrefixLen: endpoint.ipv6PrefixLength,
  };
}

function endpointSettings(
  view: ContainerView,
  network: string,
  facts: { readonly [K in keyof typeof NO_ENDPOINT]: string | number },
): EndpointSettings {
  const request = view.endpoints[network] ?? {};
  return {
    IPAMConfig: ipamConfig(request),
    Links: orNull(request.links),
    Aliases: orNull(request.aliases),
    DriverOpts: request.driverOpts ? byKey(request.driverOpts) : null,
    GwPriority: request.gwPriority ?? 0,
    ...(facts as Pick<EndpointSettings, keyof typeof NO_ENDPOINT>),
    DNSNames: BUILT_IN.has(network) ? null : dnsNames(view, request),
  };
}

function ipamConfig(request: EndpointRequest): EndpointSettings['IPAMConfig'] {
  const config = {
    ...omitEmpty('IPv4Address', request.ipv4Address),
    ...omitEmpty('IPv6Address', request.ipv6Address),
    ...omitEmptyObject('LinkLocalIPs', request.linkLocalIps),
  };
  return Object.keys(config).length > 0 ? config : null;
}

/** Names under which others on the network find the container. Source: docker's buildEndpointDNSNames. */
function dnsNames(view: ContainerView, request: EndpointRequest): string[] {
  const names = [view.name, ...(request.aliases ?? []), shortId(view.id), view.config.hostname];
  return [...new Set(names.filter((name) => name !== ''))];
}

/** Published and exposed ports of a running container; nothing of one that is not, or that has no network of its own. */
export function portsOf(view: ContainerView): PortMap {
  if (!view.sandbox?.endpoints.some(({ networkName }) => !UNMAPPED.has(networkName))) return {};
  const ports: Record<string, PortBinding[] | null> = {};
  for (const port of view.config.exposedPorts) ports[port] = null;
  for (const { containerPort, protocol, hostIp, hostPort } of view.sandbox.ports) {
    const key = `${containerPort}/${protocol}`;
    const bindings = ports[key] ?? [];
    bindings.push({ HostIp: hostIp, HostPort: String(hostPort) });
    ports[key] = bindings;
  }
  return byKey(ports);
}
