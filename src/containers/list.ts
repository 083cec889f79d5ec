import { hasLabel, invalidArgument, isNotFound } from '#base';
import type { Digest } from '#oci';
import type { Engine } from './engine.ts';
import { invalidFilter } from './errors.ts';
import { containerMatcher, type FilterContext } from './filters.ts';
import type { Instance } from './instance.ts';
import type { Container } from './model.ts';
import { processSecurity } from './start/spec-input.ts';
import { isAlive } from './state.ts';
import type { ContainerFilters, ContainerView } from './types.ts';

export interface ListOptions {
  readonly all?: boolean;
  readonly limit?: number;
  readonly filters?: ContainerFilters;
}

/** Reading: everything from memory, never waiting for anything. */
export class Lister {
  readonly #engine: Engine;
  /** By the container's record, which is replaced whenever something of it changes. */
  readonly #views = new WeakMap<Container, ContainerView>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** The one made before, as long as it still holds: copying a container is a third of what a list costs. */
  view(container: Container): ContainerView {
    const { network, instances, registry } = this.#engine;
    const instance = instances.peek(container.id);
    const sandbox = network.sandbox(container.id);
    // What others are called shows in it: it holds no longer than they do.
    if (container.links || registry.parentsOf(container.id).length > 0) {
      return this.#makeView(container, sandbox, instance);
    }
    const known = this.#views.get(container);
    const holds =
      known?.sandbox === sandbox &&
      known?.lastStartTrace === instance?.lastStartTrace &&
      known?.execIds.length === 0 &&
      (instance?.execIds.size ?? 0) === 0;
    if (known && holds) return known;
    const view = this.#makeView(container, sandbox, instance);
    this.#views.set(container, view);
    return view;
  }

  #makeView(
    container: Container,
    sandbox: ContainerView['sandbox'],
    instance: Instance | undefined,
  ): ContainerView {
    const engine = this.#engine;
    const { snapshotter, registry } = engine;
    return {
      ...container,
      sandbox,
      names: registry.namesOf(container),
      linkTexts: (container.links ?? []).map(
        ({ containerId, name, alias }) =>
          `/${registry.byId(containerId)?.name ?? name}:/${container.name}/${alias}`,
      ),
      execIds: [...(instance?.execIds ?? [])],
      // Only `inspect` asks for it. A container that is being removed may have no snapshot any more.
      get graphDriver() {
        try {
          return snapshotter.describe(container.id);
        } catch {
          return {};
        }
      },
      appArmorProfile: engine.host.appArmor.isEnabled
        ? (processSecurity(engine, container).apparmorProfile ?? '')
        : '',
      lastStartTrace: instance?.lastStartTrace,
    };
  }

  /** Newest first. */
  list({ all = false, limit = 0, filters = {} }: ListOptions = {}): ContainerView[] {
    const matches = containerMatcher(filters, this.#context());
    const showsStopped = all || limit > 0 || (filters['status'] ?? []).length > 0;
    const found = this.#engine.registry
      .all()
      .filter((container) => (showsStopped || isRunning(container)) && matches(container))
      .sort((a, b) => (a.created < b.created ? 1 : -1));
    return (limit > 0 ? found.slice(0, limit) : found).map((container) => this.view(container));
  }

  #context(): FilterContext {
    const { registry, images, network } = this.#engine;
    return {
      resolve: (ref) => registry.resolve(ref),
      imageId: (ref) => {
        try {
          return images.get(ref).id;
        } catch {
          return undefined;
        }
      },
      networksOf: ({ id, hostConfig }) => {
        const endpoints = network.sandbox(id)?.endpoints ?? [];
        const mode = hostConfig.networkMode === 'default' ? 'bridge' : hostConfig.networkMode;
        return {
          names: [mode, ...endpoints.map(({ networkName }) => networkName)],
          ids: endpoints.map(({ networkId }) => networkId),
        };
      },
    };
  }

  counts(): { total: number; running: number; paused: number; stopped: number } {
    const all = this.#engine.registry.all();
    const running = all.filter(isRunning).length;
    const paused = all.filter(({ state }) => state.status === 'paused').length;
    return { total: all.length, running: running - paused, paused, stopped: all.length - running };
  }

  usersOf(image: Digest): { containerId: string; running: boolean }[] {
    const { registry, lostRows } = this.#engine;
    const users = registry
      .all()
      .filter(({ imageId, mounts }) => imageId === image || mounts.some((mount) => mount.image?.id === image))
      .map(({ id, state }) => ({ containerId: id as string, running: isAlive(state) }));
    // What a container had whose row is lost cannot be known: what nobody else uses may be its own.
    return users.length > 0
      ? users
      : lostRows.all().map(([containerId]) => ({ containerId, running: false }));
  }

  /** Stopped containers that `prune` takes. @throws `invalid_argument`. */
  prunable(filters: ContainerFilters): Container[] {
    const unknown = Object.keys(filters).find((key) => !['until', 'label', 'label!'].includes(key));
    if (unknown) throw invalidFilter(unknown);
    if ((filters['until'] ?? []).length > 1) throw invalidArgument('more than one until filter specified');
    const untilMs = (filters['until'] ?? []).map(parseUntil);
    return this.#engine.registry.all().filter(({ state, created, config }) => {
      if (state.status !== 'exited' && state.status !== 'created' && state.status !== 'dead') return false;
      if (untilMs.some((limit) => Date.parse(created) > limit)) return false;
      if ((filters['label!'] ?? []).some((filter) => hasLabel(config.labels, filter))) return false;
      return (filters['label'] ?? []).every((filter) => hasLabel(config.labels, filter));
    });
  }

  /** With the image's layers below it, as far as the image is still there. */
  async sizes({ id, imageId }: Container): Promise<{ rwBytes: number; rootFsBytes: number }> {
    const rwBytes = await this.writableBytes(id);
    try {
      return { rwBytes, rootFsBytes: rwBytes + this.#engine.images.get(imageId).sizeBytes };
    } catch (error) {
      if (isNotFound(error)) return { rwBytes, rootFsBytes: rwBytes };
      throw error;
    }
  }

  /** Bytes of the writable layer, of a running container as of a few seconds ago; 0 when it is gone already. */
  async writableBytes(id: string): Promise<number> {
    try {
      const { registry, sizes } = this.#engine;
      const state = registry.byId(id)?.state;
      return await sizes.get(id, { isChanging: state !== undefined && isAlive(state) });
    } catch (error) {
      if (isNotFound(error)) return 0;
      throw error;
    }
  }
}

const isRunning = ({ state }: Container): boolean => isAlive(state) || state.status === 'restarting';

const DURATION = /^(?:\d+(?:\.\d+)?(?:h|m|s|ms))+$/;
const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

/** A Unix time in seconds, an ISO time, or a duration back from now. @throws `invalid_argument`. */
function parseUntil(text: string): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text) * 1000;
  if (DURATION.test(text)) {
    const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)];
    return Date.now() - parts.reduce((sum, [, n, unit]) => sum + Number(n) * (UNITS[unit ?? ''] ?? 0), 0);
  }
  const time = Date.parse(text);
  if (Number.isNaN(time)) {
    throw invalidArgument(`failed to parse value as time or duration: ${JSON.stringify(text)}`);
  }
  return time;
}
