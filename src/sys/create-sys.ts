import { createCgroups } from './cgroups.ts';
import { createFiles } from './files.ts';
import { createMounts } from './mounts.ts';
import { createNamespaces } from './namespaces.ts';
import { openRouteSocket } from './netlink/route-socket.ts';
import { openNftables } from './nftables/open.ts';
import { createProcesses } from './processes.ts';
import { createSockets } from './sockets.ts';
import type { Cgroups, Sys } from './types.ts';

/** The real kernel, for the calling thread. Cheap: libraries and the cgroup layout are read at first use. */
export function createSys(): Sys {
  const namespaces = createNamespaces();
  let cgroups: Cgroups | undefined;
  return {
    mounts: createMounts(),
    files: createFiles(),
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
  };
}
