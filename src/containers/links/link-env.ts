import { type ExposedPort, parseExposed } from './link.ts';

/** A linked container, as the one that links to it sees it. */
export interface LinkedService {
  /** `/web/db`. */
  readonly fullName: string;
  readonly address: string;
  /** `80/tcp`. */
  readonly exposedPorts: readonly string[];
  readonly env: readonly string[];
}

/** Variables every image has. */
const NOT_HANDED_ON = new Set(['HOME', 'PATH']);

/** The variables a link gives to the container that has it. Source: docker's links documentation. */
export function linkEnv({ fullName, address, exposedPorts, env }: LinkedService): string[] {
  const alias = fullName.slice(fullName.lastIndexOf('/') + 1);
  const prefix = alias.toUpperCase().replaceAll('-', '_');
  const ports = exposedPorts.map(parseExposed).sort(byNumber);
  const [first] = ports;
  return [
    ...(first ? [`${prefix}_PORT=${url(first, address)}`] : []),
    ...ports.flatMap((port) => portVariables(prefix, port, address)),
    ...rangesOf(ports).flatMap((range) => rangeVariables(prefix, range, address)),
    `${prefix}_NAME=${fullName}`,
    ...env.filter(isHandedOn).map((entry) => `${prefix}_ENV_${entry}`),
  ];
}

const isHandedOn = (entry: string): boolean =>
  entry.includes('=') && !NOT_HANDED_ON.has(entry.slice(0, entry.indexOf('=')));

const byNumber = (a: ExposedPort, b: ExposedPort): number =>
  a.port - b.port || Number(b.protocol === 'tcp') - Number(a.protocol === 'tcp');

const url = ({ port, protocol }: ExposedPort, address: string): string => `${protocol}://${address}:${port}`;

const nameOf = (prefix: string, { port, protocol }: ExposedPort): string =>
  `${prefix}_PORT_${port}_${protocol.toUpperCase()}`;

function portVariables(prefix: string, port: ExposedPort, address: string): string[] {
  const name = nameOf(prefix, port);
  return [
    `${name}=${url(port, address)}`,
    `${name}_ADDR=${address}`,
    `${name}_PORT=${port.port}`,
    `${name}_PROTO=${port.protocol}`,
  ];
}

interface Range {
  readonly first: ExposedPort;
  readonly last: ExposedPort;
}

/** Runs of neighbouring ports of one protocol, of two and more. */
function rangesOf(ports: readonly ExposedPort[]): Range[] {
  const ranges: Range[] = [];
  for (const port of ports) {
    const open = ranges.at(-1);
    const continues =
      open !== undefined && open.last.protocol === port.protocol && open.last.port + 1 === port.port;
    if (continues) ranges.splice(-1, 1, { first: open.first, last: port });
    else ranges.push({ first: port, last: port });
  }
  return ranges.filter(({ first, last }) => first !== last);
}

function rangeVariables(prefix: string, { first, last }: Range, address: string): string[] {
  const name = nameOf(prefix, first);
  return [
    `${name}_START=${url(first, address)}`,
    `${name}_PORT_START=${first.port}`,
    `${name}_END=${url(last, address)}`,
    `${name}_PORT_END=${last.port}`,
  ];
}
