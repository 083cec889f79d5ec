import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { errnoCode } from '#base';
import type { RouteSocket } from '#sys';
import { bridgeFull } from '../errors.ts';
import type { InterfacePlan, SandboxPlan } from '../kernel.ts';
import type { NetworkSys } from './local-kernel.ts';

/**
 * Namespace, interfaces, addresses and routes; nothing is left when a step fails (the veths go with the
 * namespace).
 */
export function buildSandbox(sys: NetworkSys, host: RouteSocket, plan: SandboxPlan): void {
  sys.namespaces.createNetwork(plan.netnsPath, plan.netnsFrom === undefined ? {} : { from: plan.netnsFrom });
  try {
    sys.namespaces.withNetwork(plan.netnsPath, () => prepare(plan));
    if (plan.interfaces.length > 0) plugIn(sys, host, plan);
  } catch (error) {
    sys.namespaces.removeNetwork(plan.netnsPath);
    throw error;
  }
}

const IPV6_SWITCH = '/proc/sys/net/ipv6/conf/default/disable_ipv6';

function prepare(plan: SandboxPlan): void {
  // Missing where the kernel itself runs without IPv6.
  if (plan.disableIpv6 && existsSync(IPV6_SWITCH)) writeFileSync(IPV6_SWITCH, '1');
  writeSysctls(sysctlsFor(plan, false));
}

function connect(host: RouteSocket, planned: InterfacePlan, peerNetns: string): void {
  try {
    host.createVeth({
      name: planned.hostName,
      peerName: planned.name,
      peerNetns,
      peerMac: planned.mac,
      master: planned.bridge,
      mtu: planned.mtu,
    });
  } catch (error) {
    throw errnoCode(error) === 'EXFULL' ? bridgeFull(planned.bridge) : error;
  }
}

function plugIn(sys: NetworkSys, host: RouteSocket, plan: SandboxPlan): void {
  using inside = sys.openNetlink(plan.netnsPath);
  const hairpin = isBridgedTrafficFiltered();
  for (const planned of plan.interfaces) {
    connect(host, planned, plan.netnsPath);
    const { isolated } = planned;
    host.setLink(planned.hostName, {
      up: true,
      ...(hairpin ? { hairpin } : {}),
      ...(isolated ? { isolated } : {}),
    });
    configure(inside, planned);
  }
  const late = sysctlsFor(plan, true);
  if (late.length > 0) sys.namespaces.withNetwork(plan.netnsPath, () => writeSysctls(late));
}

/**
 * With br_netfilter a packet is translated while it is still in the bridge. One that a container sends to its
 * own published port then has to leave by the port it came in by, which a bridge does not do unless told to.
 */
function isBridgedTrafficFiltered(): boolean {
  try {
    return readFileSync('/proc/sys/net/bridge/bridge-nf-call-iptables', 'utf8').trim() === '1';
  } catch {
    return false;
  }
}

function configure(inside: RouteSocket, planned: InterfacePlan): void {
  inside.addAddress(planned.name, planned.address);
  inside.setLink(planned.name, { up: true });
  if (planned.gateway) inside.addRoute({ gateway: planned.gateway, linkName: planned.name });
}

type Sysctl = readonly [path: string, value: string];

/** Keys of an interface (`net.ipv4.conf.eth0.…`) exist only once it is there. */
function sysctlsFor(plan: SandboxPlan, ofInterfaces: boolean): Sysctl[] {
  const names = new Set(plan.interfaces.map(({ name }) => name));
  return Object.entries(plan.sysctls)
    .filter(([key]) => key.split('.').some((part) => names.has(part)) === ofInterfaces)
    .map(([key, value]) => [`/proc/sys/${key.replaceAll('.', '/')}`, value]);
}

// /proc/sys/net shows the namespace of the thread that opens it, so plain file writes do.
function writeSysctls(sysctls: readonly Sysctl[]): void {
  for (const [path, value] of sysctls) writeFileSync(path, value);
}
