import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
  const isResized = spec.exclusive && link !== undefined && link.mtu !== spec.mtu;
  route.setLink(spec.name, { up: true, ...(isResized ? { mtu: spec.mtu } : {}) });
}

/**
 * Isolated ports exchange nothing directly. Instead the bridge answers for them (proxy_arp_pvlan), so that the host
 * routes between them and its rules apply; no packet filter in the bridge is needed, and broadcasts reach nobody.
 */
export function settleIsolation(route: RouteSocket, spec: BridgeSpec, sysctlRoot: string): void {
  const path = join(sysctlRoot, 'net/ipv4/conf', spec.name, 'proxy_arp_pvlan');
  const wanted = spec.isolated ? '1' : '0';
  if (readFileSync(path, 'utf8').trim() === wanted) return;
  const bridge = route.link(spec.name)?.index;
  for (const { name, masterIndex, kind } of route.links()) {
    if (masterIndex === bridge && kind === 'veth') route.setLink(name, { isolated: spec.isolated });
  }
  // The kernel waits up to 0.8 s before it answers for others.
  if (spec.isolated) writeFileSync(join(sysctlRoot, 'net/ipv4/neigh', spec.name, 'proxy_delay'), '0');
  // Last, because it tells the next start that the ports are done.
  writeFileSync(path, wanted);
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
