import type { RouteSocket } from '#sys';
import { notABridge } from '../errors.ts';
import { tryParseCidr } from '../ipv4.ts';
import type { BridgeSpec } from '../kernel.ts';

/** Makes or completes a bridge. @throws `invalid_argument` when the name is another kind of interface, or missing. */
export function ensureBridge(route: RouteSocket, spec: BridgeSpec): void {
  const link = route.link(spec.name);
  if (link && link.kind !== 'bridge') throw notABridge(spec.name);
  if (!link && spec.create) route.createBridge(spec.name, { mtu: spec.mtu, mac: bridgeMac() });
  ensureAddress(route, spec);
  route.setLink(spec.name, { up: true });
}

function ensureAddress(route: RouteSocket, spec: BridgeSpec): void {
  if (spec.address === undefined) return;
  const present = route
    .addresses(spec.name)
    .map(({ address, prefixLength }) => `${address}/${prefixLength}`)
    .filter((cidr) => tryParseCidr(cidr) !== undefined);
  if (!present.includes(spec.address)) route.addAddress(spec.name, spec.address);
  if (!spec.exclusive) return;
  for (const cidr of present) if (cidr !== spec.address) route.removeAddress(spec.name, cidr);
}

// A bridge without an address of its own takes the lowest of its ports and changes it as containers come and
// go, which breaks the neighbours' caches.
function bridgeMac(): string {
  const tail = crypto.getRandomValues(new Uint8Array(4));
  return ['02', '42', ...[...tail].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}
