import { join } from 'node:path';
import type { Logger } from '#base';
import { chooseBridge } from './bridge-choice.ts';
import { planDefaultNetworks } from './default-networks.ts';
import { bridgeInUse } from './errors.ts';
import { Firewall } from './firewall.ts';
import type { NetworkKernel } from './kernel.ts';
import type { NetworkRegistry } from './network-registry.ts';
import { DEFAULT_BRIDGE, type NetworkServiceOptions } from './options.ts';
import type { PortBook } from './port-book.ts';
import { hostPortsOf } from './published-ports.ts';
import { renderDeleteTable, tableName } from './rules.ts';
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
  /** Sets a fresh Worker up: claim, sockets, rules, watch. */
  resume(): Promise<void>;
}

const DEFAULT_RULES_CHECK_MS = 500;

/**
 * Brings the machine to what is stored: default networks, bridge, rules; sandboxes of dead containers and
 * namespaces nobody knows go, those of live ones keep addresses, ports and rules.
 */
export async function startNetwork(context: StartContext): Promise<RunningNetwork> {
  const { kernel, networks, options, sandboxes, ports } = context;
  const bridge = await prepareBridge(context);
  await releaseOrphans(context);
  await ensureForwarding(kernel, options);
  for (const sandbox of sandboxes.all()) ports.restore(sandbox.ports);

  const firewall = new Firewall({
    kernel,
    logger: options.logger,
    table: tableName(bridge, DEFAULT_BRIDGE),
    wanted: () => ({ networks: networks.bridgeRules(), ports: sandboxes.portRules() }),
  });
  const loopback = new LoopbackAccess(kernel, sandboxes, bridge);
  const resume = async () => {
    if (!(await kernel.claimBridge(bridge))) throw bridgeInUse(bridge);
    await firewall.rebuild();
    await loopback.settle();
    await reopenPorts(kernel, sandboxes, options.logger);
    await firewall.watch(options.rulesCheckMs ?? DEFAULT_RULES_CHECK_MS);
  };
  await resume();
  return { firewall, resume, settleLoopback: () => loopback.settle() };
}

/** Claims a bridge, decides on the default networks, and only then touches anything. Returns the bridge's name. */
async function prepareBridge({
  kernel,
  networks,
  options,
  sandboxes,
  liveContainerIds,
}: StartContext): Promise<string> {
  const facts = await kernel.hostFacts();
  const before = networks.byName('bridge');
  const isBridgeInUse =
    before !== undefined &&
    sandboxes.endpointsOf(before.id).some(({ containerId }) => liveContainerIds.has(containerId));
  const name = await chooseBridge({
    kernel,
    facts,
    wanted: options.bridge?.name,
    previous: before?.bridgeName,
    isInUse: isBridgeInUse,
  });
  const planned = planDefaultNetworks({
    stored: networks.list(),
    facts,
    bridge: options.bridge ?? {},
    bridgeName: name,
    pools: options.addressPools ?? DEFAULT_ADDRESS_POOLS,
    isBridgeInUse,
    now: new Date(),
  });
  if (before?.bridgeName && before.bridgeName !== name) await removeOldBridge(kernel, before);
  for (const network of planned) networks.put(network);
  for (const network of planned) await ensureBridgeOf(kernel, network);
  if (!facts.links.some((link) => link.name === name)) await reattachAll(kernel, sandboxes, name);
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
  });
}

// The user chose another bridge. Someone else may have taken the old one since.
async function removeOldBridge(kernel: NetworkKernel, before: StoredNetwork): Promise<void> {
  if (!before.bridgeName || !before.ownsBridge || !(await kernel.claimBridge(before.bridgeName))) return;
  await kernel.applyRules(renderDeleteTable(tableName(before.bridgeName, DEFAULT_BRIDGE)));
  await kernel.removeBridge(before.bridgeName);
}

async function reattachAll(kernel: NetworkKernel, sandboxes: SandboxRegistry, bridge: string): Promise<void> {
  for (const { endpoints } of sandboxes.all()) {
    for (const { hostInterface } of endpoints) {
      if (hostInterface) await kernel.reattach(hostInterface, bridge);
    }
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
  readonly #sandboxes: SandboxRegistry;
  readonly #path: string;
  #isOn: boolean | undefined;

  constructor(kernel: NetworkKernel, sandboxes: SandboxRegistry, bridge: string) {
    this.#kernel = kernel;
    this.#sandboxes = sandboxes;
    this.#path = `net/ipv4/conf/${bridge}/route_localnet`;
  }

  async settle(): Promise<void> {
    const isNeeded = this.#sandboxes.portRules().some(({ hostIp }) => /^(0\.0\.0\.0|127\.)/.test(hostIp));
    if (isNeeded === this.#isOn) return;
    this.#isOn = isNeeded;
    await this.#kernel.ensureSysctl(this.#path, isNeeded ? '1' : '0');
  }
}
