import { createCgroups } from './cgroups.ts';
import { createFdOps } from './fd-ops.ts';
import { createFiles } from './files.ts';
import { createMounts } from './mounts.ts';
import { createNamespaces } from './namespaces.ts';
import { openFlowSocket } from './netfilter/flow-socket.ts';
import { openRulesMonitor } from './netfilter/rules-monitor.ts';
import { openRouteSocket } from './netlink/route-socket.ts';
import { openNftables } from './nftables/open.ts';
import { createProcesses } from './processes.ts';
import { createSockets } from './sockets.ts';
import type { Cgroups, FdOps, Sys } from './types.ts';

/** The real kernel, for the calling thread. Cheap: libraries and the cgroup layout are read at first use. */
export function createSys(): Sys {
  const namespaces = createNamespaces();
  let cgroups: Cgroups | undefined;
  let fdOps: FdOps | undefined;
  return {
    mounts: createMounts(),
    files: createFiles(),
    get fdOps() {
      fdOps ??= createFdOps();
      return fdOps;
    },
    namespaces,
    processes: createProcesses(),
    sockets: createSockets(),
    get cgroups() {
      cgroups ??= createCgroups();
      return cgroups;
    },
    openNetlink: (netnsPath) =>
      netnsPath === undefined ? openRouteSocket() : namespaces.withNetwork(netnsPath, openRouteSocket),
    openNftables: () => openNftables(namespaces),
    openRulesMonitor,
    openFlows: openFlowSocket,
  };
}
