import { isIP } from 'node:net';
import {
  aliasNeedsUserNetwork,
  invalidHostIp,
  invalidMac,
  invalidPort,
  invalidPortRange,
  staticAddressNeedsUserNetwork,
} from './errors.ts';
import { isMac } from './mac.ts';
import type { NetworkRegistry } from './network-registry.ts';
import type { EndpointRequest, PortRequest, SandboxRequest } from './types.ts';

const PREDEFINED = new Set(['bridge', 'host', 'none']);

/** Checks a request without looking at what is in use. @throws `invalid_argument`, `not_found`. */
export function checkRequest(networks: NetworkRegistry, request: SandboxRequest): void {
  networks.ofMode(request.networkMode);
  for (const [network, endpoint] of Object.entries(request.endpoints ?? {})) {
    checkEndpoint(PREDEFINED.has(networks.ofMode(network).name), endpoint);
  }
  for (const port of request.ports) checkPort(port);
}

function checkEndpoint(isPredefined: boolean, endpoint: EndpointRequest): void {
  const isStatic = Boolean(endpoint.ipv4Address || endpoint.ipv6Address);
  if (isPredefined && isStatic) throw staticAddressNeedsUserNetwork();
  if (isPredefined && (endpoint.aliases ?? []).length > 0) throw aliasNeedsUserNetwork();
  if (endpoint.macAddress && !isMac(endpoint.macAddress)) throw invalidMac(endpoint.macAddress);
}

function checkPort({ containerPort, hostIp, hostPort, hostPortEnd }: PortRequest): void {
  if (!isPort(containerPort)) throw invalidPort(containerPort);
  if (hostPort && !isPort(hostPort)) throw invalidPort(hostPort);
  if (hostIp !== '' && isIP(hostIp) === 0) throw invalidHostIp(hostIp);
  if (hostPortEnd === undefined) return;
  const isRange =
    hostPort !== undefined && isPort(hostPort) && isPort(hostPortEnd) && hostPort <= hostPortEnd;
  if (!isRange) throw invalidPortRange(hostPort ?? 0, hostPortEnd);
}

const isPort = (port: number): boolean => Number.isInteger(port) && port >= 1 && port <= 65535;
