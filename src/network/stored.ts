import { dataLoss } from '#base';
import type { Endpoint, Network, PublishedPort, Sandbox, SandboxLink } from './types.ts';

/** A network with what only this room needs to know. */
export interface StoredNetwork extends Network {
  /** Made by us, so that we may remove it. A bridge of the user is never removed. */
  readonly ownsBridge: boolean;
  /** The bridge's own address, `172.17.0.1/16`; containers route through it unless `gateway` says otherwise. */
  readonly bridgeAddress: string | undefined;
  readonly mtu: number;
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isName: Check = (value) => typeof value === 'string' && value !== '';
const isInteger: Check = (value) => Number.isInteger(value);
const isBoolean: Check = (value) => typeof value === 'boolean';
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isOneOf =
  (...texts: readonly string[]): Check =>
  (value) =>
    texts.includes(value as string);
const isOptional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const isMapOf =
  (check: Check): Check =>
  (value) =>
    isRecord(value) && Object.values(value).every(check);

/** One check for each field of a stored object. */
type Shape<T> = Readonly<Record<keyof T & string, Check>>;

const isShaped =
  <T>(shape: Shape<T>): Check =>
  (value) =>
    wrongField(shape, value) === undefined;

function wrongField<T>(shape: Shape<T>, value: unknown): string | undefined {
  if (!isRecord(value)) return 'object';
  return Object.entries<Check>(shape).find(([key, check]) => !check(value[key]))?.[0];
}

const IPAM: Shape<Network['ipam'][number]> = { subnet: isText, gateway: isText, ipRange: isOptional(isText) };

const NETWORK: Shape<StoredNetwork> = {
  id: isName,
  name: isName,
  driver: isOneOf('bridge', 'host', 'null'),
  created: isText,
  internal: isBoolean,
  attachable: isBoolean,
  enableIPv6: isBoolean,
  ipam: isListOf(isShaped(IPAM)),
  options: isMapOf(isText),
  labels: isMapOf(isText),
  bridgeName: isOptional(isText),
  ownsBridge: isBoolean,
  bridgeAddress: isOptional(isText),
  mtu: (value) => isInteger(value) && (value as number) > 0,
};

const ENDPOINT: Shape<Endpoint> = {
  id: isName,
  networkId: isText,
  networkName: isText,
  interfaceName: isText,
  hostInterface: isText,
  macAddress: isText,
  ipv4Address: isText,
  ipv4PrefixLength: isInteger,
  gateway: isText,
  ipv6Address: isText,
  ipv6PrefixLength: isInteger,
  ipv6Gateway: isText,
};

const PORT: Shape<PublishedPort> = {
  containerPort: isInteger,
  protocol: isOneOf('tcp', 'udp', 'sctp'),
  hostIp: isText,
  hostPort: isInteger,
};

const LINK: Shape<SandboxLink> = {
  containerId: isName,
  ports: isListOf(isShaped({ port: isInteger, protocol: isOneOf('tcp', 'udp', 'sctp') })),
};

// Complete although `links` may be missing.
const SANDBOX: Shape<Required<Sandbox>> = {
  containerId: isName,
  id: isName,
  netnsPath: isOptional(isText),
  endpoints: isListOf(isShaped(ENDPOINT)),
  ports: isListOf(isShaped(PORT)),
  links: isOptional(isListOf(isShaped(LINK))),
};

/** Checks a stored network. @throws `data_loss` for anything else. */
export function decodeNetwork(stored: unknown): StoredNetwork {
  const wrong = wrongField(NETWORK, stored);
  if (wrong !== undefined) throw dataLoss(`the stored network has no usable ${wrong}`);
  return stored as StoredNetwork;
}

/** Checks a stored sandbox. @throws `data_loss` for anything else. */
export function decodeSandbox(stored: unknown): Sandbox {
  const wrong = wrongField(SANDBOX, stored);
  if (wrong !== undefined) throw dataLoss(`the stored sandbox has no usable ${wrong}`);
  return stored as Sandbox;
}
