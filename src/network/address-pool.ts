import { addressInUse, addressOutOfRange, invalidAddress, noAddressLeft } from './errors.ts';
import {
  containsAddress,
  type Ipv4,
  lastAddress,
  parseSubnet,
  type Subnet,
  subnetSize,
  tryParseIpv4,
} from './ipv4.ts';
import type { IpamConfig } from './types.ts';

/** The network whose addresses are wanted. */
export interface AddressSource {
  readonly id: string;
  readonly name: string;
  readonly ipam: readonly IpamConfig[];
}

/**
 * Picks an address. Pure: `isTaken` tells what the stored sandboxes use, `previous` is the address handed out
 * last, so that a released address rests until the range has been walked once.
 *
 * The gateway is never handed out, nor are the first and last address of networks with more than two.
 * @throws `forbidden` `Address already in use`, `invalid_argument` for a bad or foreign `requested` address,
 * `internal` `no available IPv4 addresses on this network's address pools: …`.
 */
export function pickAddress(options: {
  readonly source: AddressSource;
  readonly isTaken: (address: Ipv4) => boolean;
  readonly requested?: string;
  readonly previous?: Ipv4;
}): { readonly address: Ipv4; readonly config: IpamConfig } {
  const { source, isTaken, requested, previous } = options;
  if (requested) return claimAddress(source, requested, isTaken);
  for (const config of source.ipam) {
    const address = nextFree(config, isTaken, previous);
    if (address !== undefined) return { address, config };
  }
  throw noAddressLeft(source.name, source.id);
}

function claimAddress(
  source: AddressSource,
  requested: string,
  isTaken: (address: Ipv4) => boolean,
): { readonly address: Ipv4; readonly config: IpamConfig } {
  const address = tryParseIpv4(requested);
  if (address === undefined) throw invalidAddress(requested);
  const config = source.ipam.find(({ subnet }) => containsAddress(parseSubnet(subnet), address));
  if (!config) throw addressOutOfRange();
  if (isReserved(config, address) || isTaken(address)) throw addressInUse();
  return { address, config };
}

function nextFree(
  config: IpamConfig,
  isTaken: (address: Ipv4) => boolean,
  previous: Ipv4 | undefined,
): Ipv4 | undefined {
  const range = parseSubnet(config.ipRange || config.subnet);
  const size = subnetSize(range);
  const reserved = reservedAddresses(config);
  const offset =
    previous !== undefined && containsAddress(range, previous) ? previous - range.address + 1 : 0;
  for (let step = 0; step < size; step += 1) {
    const address = range.address + ((offset + step) % size);
    if (!reserved.has(address) && !isTaken(address)) return address;
  }
  return undefined;
}

const isReserved = (config: IpamConfig, address: Ipv4): boolean => reservedAddresses(config).has(address);

function reservedAddresses(config: IpamConfig): ReadonlySet<Ipv4> {
  const subnet = parseSubnet(config.subnet);
  const gateway = tryParseIpv4(config.gateway);
  return new Set([...edges(subnet), ...(gateway === undefined ? [] : [gateway])]);
}

// Networks of one or two addresses (RFC 3021) have neither a network nor a broadcast address.
const edges = (subnet: Subnet): Ipv4[] =>
  subnet.prefixLength >= 31 ? [] : [subnet.address, lastAddress(subnet)];
