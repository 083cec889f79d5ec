import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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
    sys.namespaces.withSysctls((sysctls) => {
      sys.namespaces.withNetwork(plan.netnsPath, () => prepare(plan, sysctls));
      if (plan.interfaces.length > 0) plugIn(sys, host, plan, sysctls);
    });
  } catch (error) {
    sys.namespaces.removeNetwork(plan.netnsPath);
    throw error;
  }
}

function prepare(plan: SandboxPlan, sysctls: string): void {
  if (plan.disableIpv6) disableIpv6('default', sysctls);
  for (const [key, value] of Object.entries(plan.sysctls))
    writeFileSync(join(sysctls, key.replaceAll('.', '/')), value);
}

/** Nothing to do where the kernel itself runs without IPv6. */
function disableIpv6(interfaceName: string, sysctls: string): void {
  const file = join(sysctls, 'net/ipv6/conf', interfaceName, 'disable_ipv6');
  if (existsSync(file)) writeFileSync(file, '1');
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

function plugIn(sys: NetworkSys, host: RouteSocket, plan: SandboxPlan, sysctls: string): void {
  using inside = sys.openNetlink(plan.netnsPath);
  const hairpin = isBridgedTrafficFiltered();
  for (const planned of plan.interfaces) {
    connect(host, planned, plan.netnsPath);
    // A bridge's port needs no address; the kernel would walk those of all ports for each new one.
    disableIpv6(planned.hostName, sysctls);
    const { isolated } = planned;
    host.setLink(planned.hostName, {
      up: true,
      ...(hairpin ? { hairpin } : {}),
      ...(isolated ? { isolated } : {}),
    });
    configure(inside, planned);
  }
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
