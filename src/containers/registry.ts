import type { Collection, Durability, WriteOptions } from '#store';
import { ambiguousPrefix, emptyReference, nameInUse, noSuchContainer } from './errors.ts';
import { LinkIndex } from './links/link-index.ts';
import type { Container, ContainerId } from './model.ts';

/** A name that is taken but has no container yet. Dispose it to give the name back; `keep` ends that. */
export interface NameReservation extends Disposable {
  keep(): void;
}

/**
 * All containers: an in-memory snapshot in front of the durable rows. Containers are immutable values; every
 * change replaces one, so that a reader sees either the old or the new one and never waits.
 */
export class Registry {
  readonly #rows: Collection<Container>;
  readonly #containers = new Map<string, Container>();
  readonly #names = new Map<string, string>();
  readonly #links = new LinkIndex();

  constructor(rows: Collection<Container>) {
    this.#rows = rows;
    for (const [, container] of rows.entries()) {
      this.#containers.set(container.id, container);
      this.#names.set(container.name, container.id);
      this.#links.update(undefined, container);
    }
  }

  /** By full ID. */
  byId(id: string): Container | undefined {
    return this.#containers.get(id);
  }

  /** By full ID, then name, as {@link resolve}. */
  find(ref: string): Container | undefined {
    return this.#containers.get(ref) ?? this.#byName(ref.startsWith('/') ? ref.slice(1) : ref);
  }

  /** In no particular order. */
  all(): Container[] {
    return [...this.#containers.values()];
  }

  /**
   * By full ID, then name (with or without slash; a link's `web/db` too), then unique ID prefix, as docker resolves.
   * @throws `not_found`, `invalid_argument` for an empty text.
   */
  resolve(ref: string): Container {
    if (ref === '') throw emptyReference(ref);
    const exact = this.find(ref);
    if (exact) return exact;
    const found = this.all().filter(({ id }) => id.startsWith(ref));
    if (found.length > 1) throw ambiguousPrefix(ref);
    if (!found[0]) throw noSuchContainer(ref);
    return found[0];
  }

  #byName(name: string): Container | undefined {
    const slash = name.indexOf('/');
    const id = this.#names.get(slash < 0 ? name : name.slice(0, slash));
    const container = id === undefined ? undefined : this.#containers.get(id);
    if (slash < 0) return container;
    const link = container?.links?.find(({ alias }) => alias === name.slice(slash + 1));
    return link && this.#containers.get(link.containerId);
  }

  /** The containers that link to this one. */
  parentsOf(id: string): Container[] {
    return this.#links.parentsOf(id).flatMap((parent) => this.#containers.get(parent) ?? []);
  }

  /** Its name and those that links give it (`web/db`), sorted. */
  namesOf({ id, name }: Container): string[] {
    const given = this.parentsOf(id).flatMap((parent) =>
      (parent.links ?? [])
        .filter(({ containerId }) => containerId === id)
        .map(({ alias }) => `${parent.name}/${alias}`),
    );
    return [name, ...given].sort();
  }

  isNameTaken(name: string): boolean {
    return this.#names.has(name);
  }

  /** @throws `conflict` with docker's text. */
  reserveName(name: string, id: ContainerId): NameReservation {
    const holder = this.#names.get(name);
    if (holder !== undefined) throw nameInUse(name, holder);
    this.#names.set(name, id);
    let isKept = false;
    return {
      keep: () => {
        isKept = true;
      },
      [Symbol.dispose]: () => {
        if (!isKept && this.#names.get(name) === id) this.#names.delete(name);
      },
    };
  }

  /** Stores what readers shall not see yet: a later {@link save} or {@link publish} shows it. */
  persist(container: Container, options?: WriteOptions): void {
    this.#rows.put(container.id, container, options ?? { durability: durabilityOf(container) });
  }

  /** Stores and publishes, by default as durably as the container needs it. The name must have been reserved. */
  save(container: Container, options?: WriteOptions): void {
    this.persist(container, options);
    this.publish(container);
  }

  /**
   * For what has happened and cannot be refused (an end, a failure): published also when it cannot be stored. Returns the
   * reason then; `restore` finds out by itself what such a row does not say.
   */
  record(container: Container, options?: WriteOptions): unknown {
    try {
      this.persist(container, options);
      return undefined;
    } catch (error) {
      return error;
    } finally {
      this.publish(container);
    }
  }

  /**
   * Publishes without storing, for a step whose loss in a crash is found out by `restore` anyway (for example the
   * exit of a container that is removed next).
   */
  publish(container: Container): void {
    const before = this.#containers.get(container.id);
    if (before && before.name !== container.name) this.#names.delete(before.name);
    this.#containers.set(container.id, container);
    this.#names.set(container.name, container.id);
    this.#links.update(before, container);
  }

  /** Forgets container and name. Its row says already that it is being removed, which a power cut brings to its end. */
  delete(id: string): void {
    const container = this.#containers.get(id);
    this.#rows.delete(id, { durability: container && hasVolumes(container) ? 'synced' : 'ordered' });
    this.#containers.delete(id);
    this.#links.update(container, undefined);
    if (container && this.#names.get(container.name) === id) this.#names.delete(container.name);
  }
}

/** Their rows say what is to happen to data. */
const hasVolumes = ({ mounts }: Container): boolean => mounts.some(({ type }) => type === 'volume');

/**
 * A `--rm` container is removed by the next start whatever its row says, so a power cut may take the row. Not where it has
 * volumes: with the row it would be forgotten that they have to go with it.
 */
const durabilityOf = (container: Container): Durability =>
  container.hostConfig.autoRemove && !hasVolumes(container) ? 'ordered' : 'synced';
