import type { Flow, FlowSocket, RouteSocket } from '#sys';
import type { FlowPort } from '../kernel.ts';

/**
 * Deletes the tracked UDP flows to published ports that end elsewhere than at `targetIp`. A flow that goes on never
 * asks the rules again: it would be sent to a container that is gone, or to the host, for as long as it lasts.
 */
export function forgetFlows(flows: FlowSocket, route: RouteSocket, ports: readonly FlowPort[]): void {
  const local = new Set(route.addresses().map(({ address }) => address));
  for (const port of ports) {
    for (const flow of flows.udpFlowsTo(port.port)) {
      if (isPublished(flow, port, local) && flow.receiver !== port.targetIp) flows.deleteFlow(flow);
    }
  }
}

/** Others may talk through this host to the same port of somebody else. */
function isPublished({ destination }: Flow, { hostIp }: FlowPort, local: ReadonlySet<string>): boolean {
  if (hostIp !== '0.0.0.0') return destination === hostIp;
  return local.has(destination) || destination.startsWith('127.');
}
