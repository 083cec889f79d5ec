import { invalidSubnet } from './errors.ts';

/** An IPv4 address as an unsigned 32-bit number. */
export type Ipv4 = number;

/** An IPv4 network. `address` is its first address. */
export interface Subnet {
  readonly address: Ipv4;
  readonly prefixLength: number;
}

const OCTET = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const ADDRESS = new RegExp(`^${OCTET}\\.${OCTET}\\.${OCTET}\\.${OCTET}$`);

/** Parses a dotted quad; undefined when it is none. */
export function tryParseIpv4(text: string): Ipv4 | undefined {
  const match = ADDRESS.exec(text);
  if (!match) return undefined;
  return match.slice(1).reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

export const formatIpv4 = (address: Ipv4): string =>
  [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');

const maskOf = (prefixLength: number): number => (prefixLength === 0 ? 0 : (~0 << (32 - prefixLength)) >>> 0);

/** Parses `10.0.0.1/24` to the host part and its network; undefined when it is none. */
export function tryParseCidr(text: string): { readonly host: Ipv4; readonly subnet: Subnet } | undefined {
  const [addressText = '', prefixText = '', ...rest] = text.split('/');
  const host = tryParseIpv4(addressText);
  if (host === undefined || rest.length > 0 || !/^\d{1,2}$/.test(prefixText)) return undefined;
  const prefixLength = Number(prefixText);
  if (prefixLength > 32) return undefined;
  return { host, subnet: subnetAround(host, prefixLength) };
}

/**
 * Parses the network of `10.0.0.1/24`; host bits are dropped.
 * @throws `invalid_argument`.
 */
export function parseSubnet(text: string): Subnet {
  const parsed = tryParseCidr(text);
  if (!parsed) throw invalidSubnet(text);
  return parsed.subnet;
}

/** The network of `prefixLength` bits that holds `address`. */
export const subnetAround = (address: Ipv4, prefixLength: number): Subnet => ({
  address: (address & maskOf(prefixLength)) >>> 0,
  prefixLength,
});

export const formatSubnet = (subnet: Subnet): string =>
  `${formatIpv4(subnet.address)}/${subnet.prefixLength}`;

/** How many addresses the network has, its first and last ones included. */
export const subnetSize = (subnet: Subnet): number => 2 ** (32 - subnet.prefixLength);

export const lastAddress = (subnet: Subnet): Ipv4 => subnet.address + subnetSize(subnet) - 1;

export const containsAddress = (subnet: Subnet, address: Ipv4): boolean =>
  address >= subnet.address && address <= lastAddress(subnet);

export const overlaps = (a: Subnet, b: Subnet): boolean =>
  a.address <= lastAddress(b) && b.address <= lastAddress(a);
