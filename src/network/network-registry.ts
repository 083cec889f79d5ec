import type { Collection } from '#store';
import { ambiguousNetwork, networkNotFound } from './errors.ts';
import { isInterContainer, isMasquerading } from './network-options.ts';
import type { BridgeRules } from './rules.ts';
import type { StoredNetwork } from './stored.ts';

/** The networks, in memory and in the store. */
export class NetworkRegistry {
  readonly #collection: Collection<StoredNetwork>;
  readonly #networks = new Map<string, StoredNetwork>();

  constructor(collection: Collection<StoredNetwork>) {
    this.#collection = collection;
    for (const [id, network] of collection.entries()) this.#networks.set(id, network);
  }

  list(): StoredNetwork[] {
    return [...this.#networks.values()];
  }

  put(network: StoredNetwork): void {
    this.#collection.put(network.id, network);
    this.#networks.set(network.id, network);
  }

  remove(network: StoredNetwork): void {
    this.#collection.delete(network.id);
    this.#networks.delete(network.id);
  }

  /** The network a container asks for by its mode. Without a default bridge that mode means `none`. */
  ofMode(mode: string): StoredNetwork {
    return this.isDefaultMode(mode) && !this.byName('bridge') ? this.get('none') : this.get(mode);
  }

  isDefaultMode(mode: string): boolean {
    return mode === '' || mode === 'default' || mode === 'bridge';
  }

  /** By ID, name (`default` is `bridge`) or unique ID prefix. @throws `not_found`, `invalid_argument`. */
  get(nameOrId: string): StoredNetwork {
    const name = nameOrId === 'default' || nameOrId === '' ? 'bridge' : nameOrId;
    const exact = this.#networks.get(name) ?? this.byName(name);
    if (exact) return exact;
    const matches = this.list().filter(({ id }) => id.startsWith(name));
    if (matches.length > 1) throw ambiguousNetwork(name, matches.length);
    if (!matches[0]) throw networkNotFound(name);
    return matches[0];
  }

  byName(name: string): StoredNetwork | undefined {
    return this.list().find((network) => network.name === name);
  }

  /** What the firewall has to know of the bridges. */
  bridgeRules(): BridgeRules[] {
    return this.list().flatMap((network) => {
      const [config] = network.ipam;
      if (!network.bridgeName || !config) return [];
      return [
        {
          bridge: network.bridgeName,
          subnet: config.subnet,
          guarded: network.ownsBridge ? config.subnet : (config.ipRange ?? config.subnet),
          masquerade: isMasquerading(network),
          interContainer: isInterContainer(network),
          internal: network.internal,
        },
      ];
    });
  }
}
