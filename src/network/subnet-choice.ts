import { noSubnetLeft } from './errors.ts';
import { formatSubnet, overlaps, parseSubnet, type Subnet, subnetSize } from './ipv4.ts';

/** `--default-address-pool base=…,size=…`: networks of `size` bits are cut from `base`. */
export interface AddressPoolOption {
  readonly base: string;
  readonly size: number;
}

/** A part of the address space somebody else uses, and who, for the error message. */
export interface OccupiedSubnet {
  readonly subnet: Subnet;
  readonly holder: string;
}

/** docker's local default pools: 172.17/16 to 172.31/16, then 192.168/16 in sixteenths. */
export const DEFAULT_ADDRESS_POOLS: readonly AddressPoolOption[] = [
  ...Array.from({ length: 15 }, (_, index) => ({ base: `172.${17 + index}.0.0/16`, size: 16 })),
  { base: '192.168.0.0/16', size: 20 },
];

/**
 * The first network of the pools that overlaps nothing occupied (addresses and routes of the host, other
 * networks). @throws `unavailable`, naming the holders; `invalid_argument` for a malformed pool.
 */
export function chooseSubnet(
  pools: readonly AddressPoolOption[],
  occupied: readonly OccupiedSubnet[],
): Subnet {
  const holders = new Set<string>();
  for (const pool of pools) {
    const base = parseSubnet(pool.base);
    const end = base.address + subnetSize(base);
    let address = base.address;
    while (address < end) {
      const candidate = { address, prefixLength: Math.max(pool.size, base.prefixLength) };
      const blocking = occupied.filter(({ subnet }) => overlaps(subnet, candidate));
      if (blocking.length === 0) return candidate;
      for (const { holder, subnet } of blocking) holders.add(`${holder} ${formatSubnet(subnet)}`);
      address = skipPast(candidate, blocking);
    }
  }
  throw noSubnetLeft([...holders].slice(0, 8));
}

// One wide route (10.0.0.0/8) would otherwise be tested once for every small candidate in it.
function skipPast(candidate: Subnet, blocking: readonly OccupiedSubnet[]): number {
  const size = subnetSize(candidate);
  const last = Math.max(...blocking.map(({ subnet }) => subnet.address + subnetSize(subnet)));
  return Math.max(candidate.address + size, Math.ceil(last / size) * size);
}
