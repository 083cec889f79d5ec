import { join } from 'node:path';
import type { Logger } from '#base';
import { chooseBridge } from './bridge-choice.ts';
import { planDefaultNetworks } from './default-networks.ts';
import { bridgeInUse, isolationNeedsFirewall, portsNotOpened } from './errors.ts';
import { createAbsentFirewall, createFirewall, type Firewall } from './firewall.ts';
import type { NetworkKernel } from './kernel.ts';
import { isInterContainer } from './network-options.ts';
import type { NetworkRegistry } from './network-registry.ts';
import { DEFAULT_BRIDGE, type NetworkServiceOptions, NO_BRIDGE } from './options.ts';
import type { PortBook } from './port-book.ts';
import { hostPortsOf } from './published-ports.ts';
import { type PortRule, renderDeleteTable, tableName } from './rules.ts';
import type { SandboxRegistry } from './sandbox-registry.ts';
import type { StoredNetwork } from './stored.ts';
import { DEFAULT_ADDRESS_POOLS } from './subnet-choice.ts';

export interface StartContext {
  readonly options: NetworkServiceOptions;
  readonly kernel: NetworkKernel;
  readonly networks: NetworkRegistry;
  readonly sandboxes: SandboxRegistry;
  readonly ports: PortBook;
  readonly liveContainerIds: ReadonlySet<string>;
}

/** What is there once the network runs. */
export interface RunningNetwork {
  readonly firewall: Firewall;
  /** Loopback access to published ports is switched on with the first port and off with the last. */
  settleLoopback(): Promise<void>;
  /** Holds the published ports again. @throws when some could not be held for want of something that may come back. */
  reopenPorts(): Promise<void>;
  /** Sets a fresh Worker up: claim, sockets, rules, watch. As often as it takes: one that failed is begun anew. */
  resume(): Promise<void>;
}

const DEFAULT_RULES_CHECK_MS = 5000;
/** Why a port may be opened a little later. */
const SHORTAGES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']);

/**
 * Brings the machine to what is stored: default networks, bridge, rules; sandboxes of dead containers and
 * namespaces nobody knows go, those of live ones keep addresses and rules. Their ports are to be reopened then.
 */
export async function startNetwork(context: StartContext): Promise<RunningNetwork> {
  const { kernel, options, sandboxes, ports } = context;
  if (!hasFirewall(options) && options.bridge?.interContainer === false) throw isolationNeedsFirewall();
  const bridge = await prepareBridge(context);
  await releaseOrphans(context);
  if (bridge === undefined) return withoutBridge();
  await ensureForwarding(kernel, options);
  for (const sandbox of sandboxes.all()) ports.restore(sandbox.ports);

  const firewall = await openFirewall(context, bridge);
  const loopback = new LoopbackAccess(kernel, bridge, () =>
    hasFirewall(options) ? sandboxes.portRules() : [],
  );
  const setUp = async () => {
    if (!(await kernel.claimBridge(bridge))) throw bridgeInUse(bridge);
    // First, so that no change goes unseen.
    await firewall.watch(options.rulesCheckMs ?? DEFAULT_RULES_CHECK_MS);
    await firewall.rebuild();
    await loopback.settle();
  };
  const reopen = () => reopenPorts(kernel, sandboxes, options.logger);
  await setUp();
  return {
    firewall,
    reopenPorts: reopen,
    resume: () => setUp().then(reopen),
    settleLoopback: () => loopback.settle(),
  };
}

const hasFirewall = (options: NetworkServiceOptions): boolean => options.firewall !== false;

/** Nobody is plugged in anywhere: there is nothing to keep. */
function withoutBridge(): RunningNetwork {
  const nothing = async (): Promise<void> => {};
  return {
    firewall: createAbsentFirewall(),
    settleLoopback: nothing,
    reopenPorts: nothing,
    resume: nothing,
  };
}

async function openFirewall(context: StartContext, bridge: string): Promise<Firewall> {
  const { kernel, networks, sandboxes, options } = context;
  const table = tableName(bridge, DEFAULT_BRIDGE);
  if (!hasFirewall(options)) {
    // What an earlier daemon left would go on translating.
    await kernel.applyRules(renderDeleteTable(table)).catch(() => {});
    return createAbsentFirewall();
  }
  return createFirewall({
    kernel,
    logger: options.logger,
    table,
    wanted: () => ({
      networks: networks.bridgeRules(),
      ports: sandboxes.portRules(),
      links: sandboxes.linkRules(),
    }),
  });
}

/**
 * Claims a bridge, decides on the default networks, and only then touches anything. Returns the bridge's name;
 * undefined where there shall be none.
 */
async function prepareBridge({
  kernel,
  networks,
  options,
  sandboxes,
  liveContainerIds,
}: StartContext): Promise<string | undefined> {
  const facts = await kernel.hostFacts();
  const before = networks.byName('bridge');
  const isBridgeInUse =
    before !== undefined &&
    sandboxes.endpointsOf(before.id).some(({ containerId }) => liveContainerIds.has(containerId));
  const wanted = options.bridge?.name;
  // Containers run on: their bridge stays until a start without any.
  const isUnwanted = wanted === NO_BRIDGE && !isBridgeInUse;
  const name = isUnwanted
    ? undefined
    : await chooseBridge({ kernel, facts, wanted, previous: before?.bridgeName, isInUse: isBridgeInUse });
  const planned = planDefaultNetworks({
    stored: networks.list(),
    facts,
    bridge: options.bridge ?? {},
    bridgeName: name,
    pools: options.addressPools ?? DEFAULT_ADDRESS_POOLS,
    isBridgeInUse,
    hasFirewall: hasFirewall(options),
    defaultHostIp: options.defaultHostIp,
    now: new Date(),
  });
  if (before?.bridgeName && before.bridgeName !== name) await removeOldBridge(kernel, before);
  for (const network of planned) networks.put(network);
  for (const network of planned) await ensureBridgeOf(kernel, network);
  if (name === undefined) {
    if (before) networks.remove(before);
    return undefined;
  }
  if (!facts.links.some((link) => link.name === name)) await reattachAll(kernel, sandboxes, networks);
  return name;
}

async function ensureBridgeOf(kernel: NetworkKernel, network: StoredNetwork): Promise<void> {
  if (!network.bridgeName) return;
  await kernel.ensureBridge({
    name: network.bridgeName,
    address: network.bridgeAddress,
    mtu: network.mtu,
    create: network.ownsBridge,
    exclusive: network.ownsBridge,
    isolated: !isInterContainer(network),
  });
}

// The user chose another bridge. Someone else may have taken the old one since.
async function removeOldBridge(kernel: NetworkKernel, before: StoredNetwork): Promise<void> {
  if (!before.bridgeName || !before.ownsBridge || !(await kernel.claimBridge(before.bridgeName))) return;
  await kernel.applyRules(renderDeleteTable(tableName(before.bridgeName, DEFAULT_BRIDGE)));
  await kernel.removeBridge(before.bridgeName);
}

async function reattachAll(
  kernel: NetworkKernel,
  sandboxes: SandboxRegistry,
  networks: NetworkRegistry,
): Promise<void> {
  const bridge = networks.get('bridge');
  for (const { hostInterface } of sandboxes.all().flatMap(({ endpoints }) => endpoints)) {
    if (hostInterface)
      await kernel.reattach(hostInterface, bridge.bridgeName ?? '', !isInterContainer(bridge));
  }
}

async function releaseOrphans({ kernel, options, sandboxes, liveContainerIds }: StartContext): Promise<void> {
  const directory = join(options.execRoot, 'netns');
  const pinned = await kernel.pinnedNamespaces(directory);
  for (const { containerId } of sandboxes.all()) {
    if (!liveContainerIds.has(containerId)) sandboxes.remove(containerId);
  }
  const known = new Set(sandboxes.all().map(({ netnsPath }) => netnsPath));
  for (const name of pinned) {
    const path = join(directory, name);
    if (!known.has(path)) await kernel.removeSandbox(path);
  }
}

async function ensureForwarding(kernel: NetworkKernel, options: NetworkServiceOptions): Promise<void> {
  if (options.ipForward === false) return;
  if (await kernel.ensureSysctl('net/ipv4/ip_forward', '1')) {
    options.logger.info('IPv4 forwarding has been switched on');
  }
}

async function reopenPorts(kernel: NetworkKernel, sandboxes: SandboxRegistry, logger: Logger): Promise<void> {
  for (const sandbox of sandboxes.all()) {
    await kernel.closePorts(sandbox.containerId);
    for (const port of hostPortsOf(sandbox)) {
      // One by one, so that a port taken meanwhile does not keep the others shut.
      const [opened] = await kernel.openPorts(sandbox.containerId, [port]);
      if (opened?.ok) continue;
      if (SHORTAGES.has(opened?.errno ?? '')) throw portsNotOpened(opened?.errno);
      logger.warn('published port is held by another program; only forwarded traffic reaches the container', {
        container: sandbox.containerId,
        port: port.port,
        errno: opened?.errno,
      });
    }
  }
}

/**
 * `route_localnet` on the bridge lets 127.0.0.1 of the host be translated to a container. It is on only while
 * a port is published; the rules keep containers from using it the other way.
 */
class LoopbackAccess {
  readonly #kernel: NetworkKernel;
  readonly #rules: () => readonly PortRule[];
  readonly #path: string;
  #isOn: boolean | undefined;

  constructor(kernel: NetworkKernel, bridge: string, rules: () => readonly PortRule[]) {
    this.#kernel = kernel;
    this.#rules = rules;
    this.#path = `net/ipv4/conf/${bridge}/route_localnet`;
  }

  async settle(): Promise<void> {
    const isNeeded = this.#rules().some(({ hostIp }) => /^(0\.0\.0\.0|127\.)/.test(hostIp));
    if (isNeeded === this.#isOn) return;
    this.#isOn = isNeeded;
    try {
      await this.#kernel.ensureSysctl(this.#path, isNeeded ? '1' : '0');
    } catch (error) {
      // Unknown: the next one sets it in any case.
      this.#isOn = undefined;
      throw error;
    }
  }
}
