import { isIP } from 'node:net';
import { portErrors } from './errors.ts';

/** One port mapping of `-p`. */
export interface PortSpec {
  /** `80/tcp`: the key in `ExposedPorts` and `PortBindings`. */
  readonly port: string;
  readonly containerPort: number;
  readonly protocol: string;
  /** Without brackets; empty is all addresses. */
  readonly hostIp: string;
  /** Empty: the engine chooses. `8000-8010`: it chooses within. */
  readonly hostPort: string;
}

interface PortRange {
  readonly first: number;
  readonly last: number;
}

const PROTOCOLS = ['tcp', 'udp', 'sctp'];

/** `80` or `80-90`, each 0 to 65535; undefined for anything else. */
export function tryParsePortRange(text: string): PortRange | undefined {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text);
  if (!match) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  return first <= last && last <= 65535 ? { first, last } : undefined;
}

/**
 * Parses one `-p` value, `[[hostIP:][hostPort[-last]]:]containerPort[-last][/protocol]`, to a mapping per container
 * port. IPv6 addresses stand in brackets.
 * @throws `invalid_argument` with docker's texts.
 */
export function parsePortSpec(spec: string): PortSpec[] {
  const { ip, hostPort, containerPort, protocol } = splitPortSpec(spec);
  const hostIp = ip.startsWith('[') && ip.endsWith(']') ? ip.slice(1, -1) : ip;
  if (hostIp !== '' && isIP(hostIp) === 0) throw portErrors.ip(hostIp);
  if (containerPort === '') throw portErrors.empty(spec);
  const container = tryParsePortRange(containerPort);
  if (!container) throw portErrors.containerPort(containerPort);
  const host = hostPort === '' ? undefined : tryParsePortRange(hostPort);
  if (hostPort !== '' && !host) throw portErrors.hostPort(hostPort);
  const single = container.first === container.last;
  if (host && !single && host.last - host.first !== container.last - container.first) {
    throw portErrors.ranges(containerPort, hostPort);
  }
  if (!PROTOCOLS.includes(protocol.toLowerCase())) throw portErrors.protocol(protocol);
  return Array.from({ length: container.last - container.first + 1 }, (_, offset) => ({
    port: `${container.first + offset}/${protocol.toLowerCase()}`,
    containerPort: container.first + offset,
    protocol: protocol.toLowerCase(),
    hostIp,
    hostPort: hostPortAt(host, offset, single),
  }));
}

function hostPortAt(host: PortRange | undefined, offset: number, single: boolean): string {
  if (!host) return '';
  return single && host.first !== host.last ? `${host.first}-${host.last}` : String(host.first + offset);
}

function splitPortSpec(spec: string) {
  const parts = spec.split(':');
  const last = parts.pop() ?? '';
  const hostPort = parts.pop() ?? '';
  const [port = '', protocol = ''] = last.split('/');
  return { ip: parts.join(':'), hostPort, containerPort: port, protocol: protocol || 'tcp' };
}

/**
 * Parses a key of `ExposedPorts` or `PortBindings` (`80`, `80/tcp`, `80-82/udp`) to single ports.
 * @throws `invalid_argument`.
 */
export function parsePortKey(key: string): { readonly containerPort: number; readonly protocol: string }[] {
  const { containerPort, protocol } = splitPortSpec(key);
  const range = tryParsePortRange(containerPort);
  if (!range) throw portErrors.containerPort(containerPort);
  if (!PROTOCOLS.includes(protocol.toLowerCase())) throw portErrors.protocol(protocol);
  return Array.from({ length: range.last - range.first + 1 }, (_, offset) => ({
    containerPort: range.first + offset,
    protocol: protocol.toLowerCase(),
  }));
}

/** `-p` values to the two maps of a create request. */
export function portMaps(specs: readonly PortSpec[]): {
  exposed: Record<string, Record<string, never>>;
  bindings: Record<string, { HostIp: string; HostPort: string }[]>;
} {
  const exposed: Record<string, Record<string, never>> = {};
  const bindings: Record<string, { HostIp: string; HostPort: string }[]> = {};
  for (const { port, hostIp, hostPort } of specs) {
    exposed[port] = {};
    bindings[port] = [...(bindings[port] ?? []), { HostIp: hostIp, HostPort: hostPort }];
  }
  return { exposed, bindings };
}
