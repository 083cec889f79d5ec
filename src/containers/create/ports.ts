import { isIP } from 'node:net';
import { invalidArgument } from '#base';
import type { PortRequest, Protocol } from '#network';
import type { ContainerConfig, HostConfig } from '../model.ts';

const MAX_PORT = 65_535;
const PROTOCOLS: readonly string[] = ['tcp', 'udp', 'sctp'];

/**
 * What is to be published: the bindings, and with `publishAllPorts` every exposed port that has none.
 * Empty for network modes that cannot publish.
 * @throws `invalid_argument` with docker's texts.
 */
export function portRequests(config: ContainerConfig, host: HostConfig): PortRequest[] {
  const bound = Object.entries(host.portBindings).flatMap(([port, bindings]) => {
    const target = parsePort(port);
    const all = bindings.length > 0 ? bindings : [{ hostIp: '', hostPort: '' }];
    return all.map((binding) => ({ ...target, ...parseBinding(binding) }));
  });
  const exposed = config.exposedPorts.map(parsePort);
  if (host.networkMode === 'host' || host.networkMode === 'none') return [];
  if (host.networkMode.startsWith('container:')) return [];
  if (!host.publishAllPorts) return bound;
  const isBound = (port: ReturnType<typeof parsePort>) =>
    bound.some(
      ({ containerPort, protocol }) => containerPort === port.containerPort && protocol === port.protocol,
    );
  const rest = exposed.filter((port) => !isBound(port));
  return [...bound, ...rest.map((port) => ({ ...port, hostIp: '', hostPort: undefined }))];
}

function parsePort(text: string): Pick<PortRequest, 'containerPort' | 'protocol'> {
  const [number = '', protocol = 'tcp', ...rest] = text.split('/');
  const port = parseNumber(number);
  if (port === undefined || port === 0 || !PROTOCOLS.includes(protocol.toLowerCase()) || rest.length > 0) {
    throw invalidArgument(`invalid port specification: ${JSON.stringify(text)}`);
  }
  return { containerPort: port, protocol: protocol.toLowerCase() as Protocol };
}

function parseNumber(text: string): number | undefined {
  const number = Number(text);
  return /^\d{1,5}$/.test(text) && number <= MAX_PORT ? number : undefined;
}

function parseBinding(binding: {
  readonly hostIp: string;
  readonly hostPort: string;
}): Pick<PortRequest, 'hostIp' | 'hostPort' | 'hostPortEnd'> {
  const { hostIp, hostPort } = binding;
  const address = hostIp.replace(/^\[(.*)\]$/, '$1');
  if (address !== '' && isIP(address) === 0) throw invalidArgument(`invalid IP address: ${hostIp}`);
  if (hostPort === '' || hostPort === '0') return { hostIp: address, hostPort: undefined };
  const [first = '', last, ...rest] = hostPort.split('-');
  const start = parseNumber(first);
  const end = last === undefined ? start : parseNumber(last);
  if (start === undefined || end === undefined || end < start || rest.length > 0) {
    throw invalidArgument(`invalid port specification: ${JSON.stringify(hostPort)}`);
  }
  return end === start
    ? { hostIp: address, hostPort: start }
    : { hostIp: address, hostPort: start, hostPortEnd: end };
}
