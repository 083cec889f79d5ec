import { join } from 'node:path';
import {
  createId,
  errorMessage,
  GantryError,
  KeyedMutex,
  type Logger,
  settleAll,
  shortId,
  systemClock,
} from '#base';
import { emptyEndpoint, interfacePlan, planEndpoint } from './endpoints.ts';
import {
  externalConnectivityFailed,
  networkNotStarted,
  networksInUse,
  portsNotOpened,
  sandboxExists,
  sandboxNotReleased,
  sandboxSetupFailed,
  sctpNeedsFirewall,
} from './errors.ts';
import type { Ipv4 } from './ipv4.ts';
import type { NetworkKernel } from './kernel.ts';
import { refuseConnection, refuseCreation, refuseDisconnection, refuseRemoval } from './network-changes.ts';
import { NetworkRegistry } from './network-registry.ts';
import type { NetworkServiceOptions } from './options.ts';
import { PortBook } from './port-book.ts';
import { publishPorts } from './published-ports.ts';
import { checkRequest } from './request-check.ts';
import { Resumption } from './resumption.ts';
import type { LinkRule } from './rules.ts';
import { portRulesOf, SandboxRegistry } from './sandbox-registry.ts';
import { type RunningNetwork, startNetwork } from './start.ts';
import { decodeNetwork, decodeSandbox, type StoredNetwork } from './stored.ts';
import type { Endpoint, Network, NetworkMember, NetworkService, Sandbox, SandboxRequest } from './types.ts';
import { createWorkerKernel } from './worker/client.ts';

/**
 * Of each namespace but those that belong to a user namespace: ports below 1024 and ping need no privilege, because the
 * network is the container's (moby `daemon/oci_linux.go`).
 */
const UNPRIVILEGED = {
  'net.ipv4.ip_unprivileged_port_start': '0',
  'net.ipv4.ping_group_range': '0 2147483647',
};

/**
 * The network of this engine: state and decisions on the calling thread, kernel work in the network Worker.
 * Nothing happens before `start`.
 */
export function createNetworkService(options: NetworkServiceOptions): NetworkService {
  return new LocalNetworkService(options);
}

class LocalNetworkService implements NetworkService {
  readonly #options: NetworkServiceOptions;
  readonly #logger: Logger;
  readonly #networks: NetworkRegistry;
  readonly #sandboxes: SandboxRegistry;
  readonly #ports = new PortBook();
  readonly #locks = new KeyedMutex();
  readonly #kernel: NetworkKernel;
  /** The address handed out last in each network. */
  readonly #lastAddress = new Map<string, Ipv4>();
  #running: RunningNetwork | undefined;
  readonly #resumption: Resumption;
  /** Repairs, one after the other. Never rejects. */
  #background: Promise<void> = Promise.resolve();

  constructor(options: NetworkServiceOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#networks = new NetworkRegistry(options.metadata.collection('networks', decodeNetwork));
    this.#sandboxes = new SandboxRegistry(options.metadata.collection('network_sandboxes', decodeSandbox));
    const createKernel = options.createKernel ?? ((events) => createWorkerKernel({ ...options, events }));
    this.#kernel = createKernel({
      onRulesDamaged: () => void this.#inBackground(async () => await this.#running?.firewall.restore()),
      onWatchLost: (reason) =>
        this.#logger.error('changes of the firewall by others are not noticed at once, trying again', {
          reason,
        }),
      onRestarted: () => this.#resumption.begin(),
    });
    this.#resumption = new Resumption({
      attempt: () => this.#inBackground(async () => await this.#running?.resume()),
      logger: this.#logger,
      clock: options.clock ?? systemClock,
    });
  }

  async start(liveContainerIds: ReadonlySet<string>): Promise<void> {
    try {
      this.#running = await startNetwork({
        options: this.#options,
        kernel: this.#kernel,
        networks: this.#networks,
        sandboxes: this.#sandboxes,
        ports: this.#ports,
        liveContainerIds,
      });
    } catch (error) {
      await this.#kernel.close();
      throw error instanceof GantryError ? error : networkNotStarted(error);
    }
    // Traffic is forwarded without them: they keep no daemon from starting.
    await this.#running.reopenPorts().catch(() => this.#resumption.begin());
  }

  async stop(options: { readonly removeAll?: boolean } = {}): Promise<void> {
    await this.#resumption.close();
    await this.#background;
    if (options.removeAll) await this.#removeAll();
    this.#running = undefined;
    await this.#kernel.close();
  }

  list(): Network[] {
    return this.#networks.list();
  }

  get(nameOrId: string): Network {
    return this.#networks.get(nameOrId);
  }

  create(name: string, driver: string): never {
    return refuseCreation(name, driver);
  }

  remove(nameOrId: string): void {
    refuseRemoval(this.#networks, nameOrId);
  }

  connect(nameOrId: string, container: NetworkMember): void {
    refuseConnection(this.#networks, nameOrId, container);
  }

  disconnect(nameOrId: string, container: NetworkMember): void {
    refuseDisconnection(this.#networks, nameOrId, container);
  }

  validate(request: SandboxRequest): void {
    checkRequest(this.#networks, request);
    if (this.#options.firewall === false && request.ports.some(({ protocol }) => protocol === 'sctp')) {
      throw sctpNeedsFirewall();
    }
  }

  createSandbox(request: SandboxRequest): Promise<Sandbox> {
    return this.#locks.run(request.containerId, () => this.#create(request));
  }

  sandbox(containerId: string): Sandbox | undefined {
    return this.#sandboxes.get(containerId);
  }

  removeSandbox(containerId: string): Promise<void> {
    return this.#locks.run(containerId, async () => {
      const sandbox = this.#sandboxes.get(containerId);
      if (!sandbox) return;
      using _leaving = this.#sandboxes.beginRemoval(containerId);
      await this.#dismantle(sandbox);
      this.#sandboxes.remove(containerId);
      this.#ports.releasePublished(sandbox.ports);
      await this.#running?.settleLoopback();
    });
  }

  unlink(containerId: string, targetId: string): Promise<void> {
    return this.#locks.run(containerId, async () => {
      const sandbox = this.#sandboxes.get(containerId);
      if (!sandbox?.links) return;
      const links = sandbox.links.filter((link) => link.containerId !== targetId);
      const before = this.#sandboxes.elementsOf(sandbox).links;
      const after = { ...sandbox, links };
      this.#sandboxes.commit(after);
      const kept = this.#sandboxes.elementsOf(after).links;
      const isKept = (rule: LinkRule) => kept.some((other) => Bun.deepEquals(rule, other));
      await this.#running?.firewall.delete({ ports: [], links: before.filter((rule) => !isKept(rule)) });
    });
  }

  endpointsOf(networkId: string): readonly { readonly containerId: string; readonly endpoint: Endpoint }[] {
    return this.#sandboxes.endpointsOf(networkId);
  }

  async #create(request: SandboxRequest): Promise<Sandbox> {
    this.validate(request);
    if (this.#sandboxes.get(request.containerId)) throw sandboxExists(request.containerId);
    const network = this.#networks.ofMode(request.networkMode);
    const draft = this.#draft(request, network);
    this.#sandboxes.hold(draft);
    try {
      const sandbox = network.driver === 'bridge' ? await this.#publish(request, draft) : draft;
      await using undo = new AsyncDisposableStack();
      undo.defer(() => this.#abandon(sandbox));
      await this.#build(request, sandbox, network);
      this.#sandboxes.commit(sandbox);
      undo.move();
      return sandbox;
    } finally {
      this.#sandboxes.dropDraft(request.containerId);
    }
  }

  #draft(request: SandboxRequest, network: StoredNetwork): Sandbox {
    const id = createId();
    const isHost = network.driver === 'host';
    // Without a default bridge `none` stands in for it; that is no place in a network.
    const isStandIn = network.driver === 'null' && this.#networks.isDefaultMode(request.networkMode);
    const plugged = () =>
      network.driver === 'bridge' ? this.#plug(request, network) : emptyEndpoint(network);
    return {
      containerId: request.containerId,
      id,
      netnsPath: isHost ? undefined : join(this.#options.execRoot, 'netns', shortId(id)),
      endpoints: isStandIn ? [] : [plugged()],
      ports: [],
      ...(request.links && request.links.length > 0 ? { links: request.links } : {}),
    };
  }

  #plug(request: SandboxRequest, network: StoredNetwork): Endpoint {
    const wished = Object.entries(request.endpoints ?? {}).find(
      ([name]) => this.#networks.ofMode(name).id === network.id,
    );
    const previous = this.#lastAddress.get(network.id);
    const { endpoint, address } = planEndpoint(network, this.#sandboxes, wished?.[1] ?? {}, previous);
    if (!wished?.[1].ipv4Address) this.#lastAddress.set(network.id, address);
    return endpoint;
  }

  /** Takes the host ports. The new draft carries them, so that a rebuild of the rules in between has them too. */
  async #publish(request: SandboxRequest, draft: Sandbox): Promise<Sandbox> {
    const [endpoint] = draft.endpoints;
    if (!endpoint || request.ports.length === 0) return draft;
    const fallbackIp = this.#options.defaultHostIp;
    const requests = request.ports.map((port) =>
      port.hostIp === '' && fallbackIp && fallbackIp !== '0.0.0.0' ? { ...port, hostIp: fallbackIp } : port,
    );
    try {
      const ports = await publishPorts({
        owner: request.containerId,
        targetIp: endpoint.ipv4Address,
        requests,
        book: this.#ports,
        kernel: this.#kernel,
      });
      const published = { ...draft, ports };
      this.#sandboxes.hold(published);
      return published;
    } catch (error) {
      const cause = error instanceof GantryError ? error : portsNotOpened(error);
      throw externalConnectivityFailed(request.containerName, endpoint.id, cause);
    }
  }

  async #build(request: SandboxRequest, sandbox: Sandbox, network: StoredNetwork): Promise<void> {
    if (sandbox.netnsPath === undefined) return;
    const plan = {
      netnsPath: sandbox.netnsPath,
      ...(request.netnsFrom === undefined ? {} : { netnsFrom: request.netnsFrom }),
      disableIpv6: !network.enableIPv6 && network.driver === 'bridge',
      sysctls: request.netnsFrom === undefined ? UNPRIVILEGED : {},
      interfaces: sandbox.endpoints
        .filter(({ interfaceName }) => interfaceName !== '')
        .map((endpoint) => interfacePlan(endpoint, network)),
    };
    // Both are under way at once: the Worker takes them in turn, without a round trip between.
    try {
      await settleAll([
        this.#kernel.createSandbox(plan),
        this.#running?.firewall.add(this.#sandboxes.elementsOf(sandbox)),
        this.#running?.settleLoopback(),
        this.#forgetFlows(sandbox, true),
      ]);
    } catch (error) {
      if (error instanceof GantryError) throw error;
      throw sandboxSetupFailed(request.containerName, error);
    }
  }

  /** Takes back what a failed creation did. What cannot be taken back is swept at the next start. */
  async #abandon(sandbox: Sandbox): Promise<void> {
    this.#sandboxes.dropDraft(sandbox.containerId);
    this.#ports.releasePublished(sandbox.ports);
    try {
      await this.#dismantle(sandbox);
    } catch (error) {
      this.#logger.warn('sandbox not cleaned up', {
        container: sandbox.containerId,
        reason: errorMessage(error),
      });
    }
  }

  async #dismantle(sandbox: Sandbox): Promise<void> {
    try {
      await settleAll([
        this.#running?.firewall.delete(this.#sandboxes.elementsOf(sandbox)),
        this.#forgetFlows(sandbox, false),
        sandbox.ports.length > 0 ? this.#kernel.closePorts(sandbox.containerId) : undefined,
        sandbox.netnsPath === undefined ? undefined : this.#kernel.removeSandbox(sandbox.netnsPath),
      ]);
    } catch (error) {
      throw sandboxNotReleased(sandbox.containerId, error);
    }
  }

  /** Flows that began before the rules changed do not follow them. Queued behind that change. */
  async #forgetFlows(sandbox: Sandbox, isPublished: boolean): Promise<void> {
    const flows = portRulesOf(sandbox)
      .filter(({ protocol }) => protocol === 'udp')
      .map(({ hostIp, hostPort, targetIp }) => ({
        hostIp,
        port: hostPort,
        targetIp: isPublished ? targetIp : undefined,
      }));
    if (flows.length === 0) return;
    try {
      await this.#kernel.forgetFlows(flows);
    } catch (error) {
      // They end by themselves after half a minute of silence.
      this.#logger.warn('UDP flows to published ports not deleted', {
        container: sandbox.containerId,
        reason: errorMessage(error),
      });
    }
  }

  async #removeAll(): Promise<void> {
    const count = this.#sandboxes.all().length;
    if (count > 0) throw networksInUse(count);
    await this.#running?.firewall.remove();
    for (const { bridgeName, ownsBridge } of this.#networks.list()) {
      if (bridgeName && ownsBridge) await this.#kernel.removeBridge(bridgeName);
    }
  }

  #inBackground(work: () => Promise<void>): Promise<void> {
    const done = this.#background.then(work);
    this.#background = done.catch(() => {});
    return done;
  }
}
