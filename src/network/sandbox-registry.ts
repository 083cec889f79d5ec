import type { Collection } from '#store';
import type { LinkRule, PortRule, RuleElements } from './rules.ts';
import type { Endpoint, Sandbox } from './types.ts';

/** No sandbox outlives a power cut: without its container every row is dropped by the next start. */
const DURABILITY = { durability: 'ordered' } as const;

/**
 * The sandboxes: those stored, those being made (drafts) and those being released. Addresses, interface names
 * and rules in use are derived from here and stored nowhere else.
 */
export class SandboxRegistry {
  readonly #collection: Collection<Sandbox>;
  readonly #stored = new Map<string, Sandbox>();
  readonly #drafts = new Map<string, Sandbox>();
  readonly #leaving = new Set<string>();

  constructor(collection: Collection<Sandbox>) {
    this.#collection = collection;
    for (const [containerId, sandbox] of collection.entries()) this.#stored.set(containerId, sandbox);
  }

  get(containerId: string): Sandbox | undefined {
    return this.#stored.get(containerId);
  }

  all(): Sandbox[] {
    return [...this.#stored.values()];
  }

  /** Holds what a sandbox in the making is going to use. A second draft of the same container replaces the first. */
  hold(draft: Sandbox): void {
    this.#drafts.set(draft.containerId, draft);
  }

  dropDraft(containerId: string): void {
    this.#drafts.delete(containerId);
  }

  commit(sandbox: Sandbox): void {
    this.#collection.put(sandbox.containerId, sandbox, DURABILITY);
    this.#stored.set(sandbox.containerId, sandbox);
    this.#drafts.delete(sandbox.containerId);
  }

  /** From now on the rules do without it; its addresses and ports stay taken until {@link remove}. */
  beginRemoval(containerId: string): Disposable {
    this.#leaving.add(containerId);
    return { [Symbol.dispose]: () => void this.#leaving.delete(containerId) };
  }

  remove(containerId: string): void {
    this.#collection.delete(containerId, DURABILITY);
    this.#stored.delete(containerId);
  }

  /** Addresses taken in a network. */
  addressesIn(networkId: string): Set<string> {
    const endpoints = this.#everything().flatMap((sandbox) => sandbox.endpoints);
    return new Set(
      endpoints.filter((endpoint) => endpoint.networkId === networkId).map(({ ipv4Address }) => ipv4Address),
    );
  }

  hasInterface(hostName: string): boolean {
    return this.#everything().some(({ endpoints }) =>
      endpoints.some(({ hostInterface }) => hostInterface === hostName),
    );
  }

  endpointsOf(networkId: string): { containerId: string; endpoint: Endpoint }[] {
    return this.all().flatMap(({ containerId, endpoints }) =>
      endpoints
        .filter((endpoint) => endpoint.networkId === networkId)
        .map((endpoint) => ({ containerId, endpoint })),
    );
  }

  portRules(): PortRule[] {
    return this.#staying().flatMap(portRulesOf);
  }

  linkRules(): LinkRule[] {
    return this.#staying().flatMap((sandbox) => this.#linksFrom(sandbox));
  }

  /** What a sandbox has in the rules: its ports, its links and those of others to it. */
  elementsOf(sandbox: Sandbox): RuleElements {
    const others = this.#staying().filter(({ containerId }) => containerId !== sandbox.containerId);
    const incoming = others.flatMap((other) => linkRulesBetween(other, sandbox));
    return { ports: portRulesOf(sandbox), links: [...this.#linksFrom(sandbox), ...incoming] };
  }

  #linksFrom(sandbox: Sandbox): LinkRule[] {
    const ids = new Set((sandbox.links ?? []).map(({ containerId }) => containerId));
    const targets = [...ids].flatMap((id) => this.#drafts.get(id) ?? this.#stored.get(id) ?? []);
    return targets
      .filter(({ containerId }) => !this.#leaving.has(containerId))
      .flatMap((target) => linkRulesBetween(sandbox, target));
  }

  #staying(): Sandbox[] {
    return this.#everything().filter(({ containerId }) => !this.#leaving.has(containerId));
  }

  #everything(): Sandbox[] {
    return [...this.#stored.values(), ...this.#drafts.values()];
  }
}

const addressOf = ({ endpoints }: Sandbox): string | undefined =>
  endpoints.find(({ ipv4Address }) => ipv4Address !== '')?.ipv4Address;

function linkRulesBetween(source: Sandbox, target: Sandbox): LinkRule[] {
  const sourceIp = addressOf(source);
  const targetIp = addressOf(target);
  if (sourceIp === undefined || targetIp === undefined) return [];
  return (source.links ?? [])
    .filter(({ containerId }) => containerId === target.containerId)
    .flatMap(({ ports }) =>
      ports.map(({ port, protocol }) => ({ sourceIp, targetIp, protocol, targetPort: port })),
    );
}

/** The DNAT entries of a sandbox. IPv6 host addresses are served by sockets, not by rules. */
export function portRulesOf(sandbox: Sandbox): PortRule[] {
  const targetIp = addressOf(sandbox);
  if (targetIp === undefined) return [];
  return sandbox.ports
    .filter(({ hostIp }) => !hostIp.includes(':'))
    .map(({ protocol, hostIp, hostPort, containerPort }) => ({
      protocol,
      hostIp,
      hostPort,
      targetIp,
      targetPort: containerPort,
    }));
}
