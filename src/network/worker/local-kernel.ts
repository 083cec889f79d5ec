import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FlowSocket, Nftables, RouteSocket, Sys } from '#sys';
import type { BridgeSpec, HostFacts, KernelEvents, NetworkKernel, SandboxPlan } from '../kernel.ts';
import { ensureBridge, settleIsolation } from './bridge.ts';
import { type BridgeClaim, claimBridge } from './bridge-claim.ts';
import { forgetFlows } from './flows.ts';
import { HostPorts } from './host-ports.ts';
import { RulesWatcher } from './rules-watcher.ts';
import { buildSandbox } from './sandbox-builder.ts';

/** The parts of `sys` the network uses. */
export type NetworkSys = Pick<
  Sys,
  'namespaces' | 'openNetlink' | 'openNftables' | 'openRulesMonitor' | 'openFlows'
>;

/**
 * The kernel on the calling thread: what runs inside the Worker. Sockets are opened at the first use, in the
 * network namespace the thread is in then.
 */
export function createLocalKernel(options: {
  readonly sys: NetworkSys;
  readonly events: Omit<KernelEvents, 'onRestarted'>;
  readonly maxHeldPorts?: number;
  /** Root of the sysctl tree. Default `/proc/sys`. */
  readonly sysctlRoot?: string;
}): NetworkKernel {
  const { sys, events } = options;
  const sysctlRoot = options.sysctlRoot ?? '/proc/sys';
  const ports = new HostPorts(options.maxHeldPorts === undefined ? {} : { maxHeld: options.maxHeldPorts });
  const claims = new Map<string, BridgeClaim>();
  let route: RouteSocket | undefined;
  let nft: Nftables | undefined;
  let flows: FlowSocket | undefined;
  const routeSocket = (): RouteSocket => (route ??= sys.openNetlink());
  const nftables = (): Nftables => (nft ??= sys.openNftables());
  const watcher = new RulesWatcher({
    openMonitor: () => sys.openRulesMonitor(),
    nftables,
    onDamaged: () => events.onRulesDamaged(),
    onLost: (reason) => events.onWatchLost(reason),
  });

  return {
    hostFacts: async () => readFacts(routeSocket()),
    async claimBridge(name) {
      if (claims.has(name)) return true;
      const claim = claimBridge(name);
      if (claim) claims.set(name, claim);
      return claim !== undefined;
    },
    async ensureBridge(spec: BridgeSpec) {
      ensureBridge(routeSocket(), spec);
      settleIsolation(routeSocket(), spec, sysctlRoot);
    },
    async removeBridge(name) {
      if (routeSocket().link(name)) routeSocket().deleteLink(name);
    },
    async reattach(interfaceName, bridgeName, isolated) {
      if (!routeSocket().link(interfaceName)) return false;
      routeSocket().setLink(interfaceName, { master: bridgeName, up: true, isolated });
      return true;
    },
    ensureSysctl: async (path, value) => ensureSysctl(join(sysctlRoot, path), value),
    openPorts: (owner, wanted) => ports.open(owner, wanted),
    closePorts: async (owner) => ports.close(owner),
    createSandbox: async (plan: SandboxPlan) => buildSandbox(sys, routeSocket(), plan),
    removeSandbox: async (netnsPath) => sys.namespaces.removeNetwork(netnsPath),
    async pinnedNamespaces(directory) {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      return readdirSync(directory);
    },
    applyRules: async (commands) => watcher.change(() => nftables().run(commands)),
    async forgetFlows(wanted) {
      flows ??= sys.openFlows();
      forgetFlows(flows, routeSocket(), wanted);
    },
    watchRules: (watch) => watcher.watch(watch),
    async close() {
      await watcher.watch(undefined);
      ports.closeAll();
      for (const claim of claims.values()) claim.release();
      claims.clear();
      route?.[Symbol.dispose]();
      nft?.[Symbol.dispose]();
      flows?.[Symbol.dispose]();
      route = undefined;
      nft = undefined;
      flows = undefined;
    },
  };
}

function readFacts(route: RouteSocket): HostFacts {
  const links = route.links();
  const nameOf = (index: number | undefined) => links.find((link) => link.index === index)?.name ?? '';
  return {
    links: links.map(({ name, kind, masterIndex }) => ({
      name,
      kind,
      master: masterIndex === undefined ? undefined : nameOf(masterIndex),
    })),
    addresses: route.addresses().map(({ address, prefixLength, linkIndex }) => ({
      cidr: `${address}/${prefixLength}`,
      interfaceName: nameOf(linkIndex),
    })),
    routes: route
      .routes()
      .flatMap(({ destination, linkIndex }) =>
        destination === undefined ? [] : [{ destination, interfaceName: nameOf(linkIndex) }],
      ),
  };
}

function ensureSysctl(path: string, value: string): boolean {
  if (readFileSync(path, 'utf8').trim() === value) return false;
  writeFileSync(path, value);
  return true;
}
