import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Nftables, RouteSocket, Sys } from '#sys';
import type {
  BridgeSpec,
  HostFacts,
  KernelEvents,
  NetworkKernel,
  RulesWatch,
  SandboxPlan,
} from '../kernel.ts';
import { ensureBridge } from './bridge.ts';
import { type BridgeClaim, claimBridge } from './bridge-claim.ts';
import { HostPorts } from './host-ports.ts';
import { buildSandbox } from './sandbox-builder.ts';

/** The parts of `sys` the network uses. */
export type NetworkSys = Pick<Sys, 'namespaces' | 'openNetlink' | 'openNftables'>;

/**
 * The kernel on the calling thread: what runs inside the Worker. Sockets are opened at the first use, in the
 * network namespace the thread is in then.
 */
export function createLocalKernel(options: {
  readonly sys: NetworkSys;
  readonly events: Pick<KernelEvents, 'onRulesDamaged'>;
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
  let watcher: ReturnType<typeof setInterval> | undefined;
  const routeSocket = (): RouteSocket => (route ??= sys.openNetlink());
  const nftables = (): Nftables => (nft ??= sys.openNftables());
  const stopWatching = () => clearInterval(watcher);

  return {
    hostFacts: async () => readFacts(routeSocket()),
    async claimBridge(name) {
      if (claims.has(name)) return true;
      const claim = claimBridge(name);
      if (claim) claims.set(name, claim);
      return claim !== undefined;
    },
    ensureBridge: async (spec: BridgeSpec) => ensureBridge(routeSocket(), spec),
    async removeBridge(name) {
      if (routeSocket().link(name)) routeSocket().deleteLink(name);
    },
    async reattach(interfaceName, bridgeName) {
      if (!routeSocket().link(interfaceName)) return false;
      routeSocket().setLink(interfaceName, { master: bridgeName, up: true });
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
    applyRules: async (commands) => nftables().run(commands),
    async watchRules(watch) {
      stopWatching();
      if (!watch) return;
      let round = 0;
      watcher = setInterval(() => {
        round += 1;
        const isWhole = round % THOROUGH_EVERY === 0 ? hasRules : hasTable;
        if (!isWhole(nftables(), watch)) events.onRulesDamaged();
      }, watch.intervalMs);
    },
    async close() {
      stopWatching();
      ports.closeAll();
      for (const claim of claims.values()) claim.release();
      claims.clear();
      route?.[Symbol.dispose]();
      nft?.[Symbol.dispose]();
      route = undefined;
      nft = undefined;
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

/*
 * Listing a chain makes libnftables read all elements (20 ms beside 3,000 ports); listing the chains' names does
 * not (0.05 ms), and finds what a firewall reload does: dropping tables. Rules alone are looked for now and then.
 */
const THOROUGH_EVERY = 20;

const hasTable = (nft: Nftables, { table }: RulesWatch): boolean =>
  lists(nft, 'list chains inet', (entry) => {
    const chain = entry['chain'];
    return typeof chain === 'object' && chain !== null && 'table' in chain && chain.table === table;
  });

const hasRules = (nft: Nftables, { table }: RulesWatch): boolean =>
  lists(nft, `list chain inet ${table} forwarding`, (entry) => 'rule' in entry);

function lists(nft: Nftables, command: string, wanted: (entry: Record<string, unknown>) => boolean): boolean {
  try {
    return nft.query(command).some(wanted);
  } catch {
    return false;
  }
}
