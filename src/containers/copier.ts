import { existsSync } from 'node:fs';
import { errorMessage, isNotFound } from '#base';
import {
  type ArchiveSource,
  givingWay,
  type Owner,
  openLiveTree,
  openStoppedTree,
  readArchive,
  type StoppedMount,
  statArchive,
  writeArchive,
} from './archive/index.ts';
import type { Engine } from './engine.ts';
import type { Container } from './model.ts';
import { imageKeys, mountSources, sourcesAt, unmountAll } from './mounts/run-mounts.ts';
import { resolveUser } from './spec/users.ts';
import { isAlive } from './state.ts';
import type { ArchiveRead, PathStat, WriteArchiveOptions } from './types.ts';

/**
 * `docker cp`. A running container is seen through its own mounts and not locked: a slow client must not hold up its
 * stop. A stopped one is locked while it is written to, so that it does not start on files that are half there, unless
 * the client falls silent.
 */
export class Copier {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** @throws as {@link statArchive}. */
  async stat(ref: string, path: string): Promise<PathStat> {
    const { id, mounts } = this.#engine.registry.resolve(ref);
    await this.#engine.sources.pass(sourcesAt(mounts, path));
    const live = this.#live(ref, id);
    if (live) return statArchive(live, path);
    return await this.#stopped(ref, id, (source) => statArchive(source, path));
  }

  /** @throws as {@link readArchive}. */
  async read(ref: string, path: string): Promise<ArchiveRead> {
    const { registry, events } = this.#engine;
    const container = registry.resolve(ref);
    const { id } = container;
    await this.#engine.sources.pass(sourcesAt(container.mounts, path));
    const live = this.#live(ref, id);
    const { stat, stream } = live
      ? readArchive(live, path)
      : await this.#stopped(
          ref,
          id,
          (source, { onEnd }) => readArchive(source, path, { onEnd }),
          'until-end',
        );
    events.publish(container, 'archive-path', { path });
    return { stat, tar: stream };
  }

  /** @throws as {@link writeArchive}. */
  async write(
    ref: string,
    path: string,
    tar: AsyncIterable<Uint8Array>,
    options: WriteArchiveOptions,
  ): Promise<void> {
    const { registry, events } = this.#engine;
    const container = registry.resolve(ref);
    const { id } = container;
    await this.#engine.sources.pass(sourcesAt(container.mounts, path));
    const write = async (source: ArchiveSource, body: AsyncIterable<Uint8Array>): Promise<void> =>
      await writeArchive(source, path, body, this.#writeOptions(container, options));
    const live = this.#live(ref, id);
    if (live) await write(live, tar);
    else
      await this.#upload(ref, id, (source, isWanted, signal) =>
        write(source, givingWay(tar, { signal, isWanted })),
      );
    this.#engine.sizes.touch(id);
    events.publish(container, 'extract-to-dir', { path });
  }

  /** A client must not keep others from the container by not sending, nor at all from being removed by force. */
  async #upload(
    ref: string,
    id: string,
    write: (source: ArchiveSource, isWanted: () => boolean, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    await this.#engine.instances
      .of(id)
      .untilInterrupted((signal) =>
        this.#stopped(ref, id, (source, { isWanted }) => write(source, isWanted, signal)),
      );
  }

  #writeOptions(container: Container, { noOverwriteDirNonDir, chown, signal }: WriteArchiveOptions) {
    const owner = chown ? this.#ownerOf(container, chown) : undefined;
    return {
      fdOps: this.#engine.sys.fdOps,
      noOverwriteDirNonDir: noOverwriteDirNonDir ?? false,
      ...(owner ? { owner } : {}),
      ...(signal ? { signal } : {}),
    };
  }

  /** `user[:group]` by the container's own passwd and group. */
  #ownerOf({ id }: Container, chown: string): Owner {
    const { sys, snapshotter } = this.#engine;
    const { uid, gid } = resolveUser(sys, snapshotter.mount(id), chown, []);
    return { uid, gid };
  }

  /** Undefined when it does not run. */
  #live(ref: string, id: string): ArchiveSource | undefined {
    const { registry, sys } = this.#engine;
    const state = registry.byId(id)?.state;
    if (!state || !isAlive(state)) return undefined;
    const tree = openLiveTree(sys, { pid: state.pid, containerId: id });
    return tree && { ref, open: () => tree, ...ownersOf(registry.byId(id)) };
  }

  /**
   * Under the lock, with the snapshot mounted until `use` is done or, with `until-end`, until it calls `onEnd`.
   * The container may have been started before the lock was free.
   */
  async #stopped<T>(
    ref: string,
    id: string,
    use: (source: ArchiveSource, lock: { isWanted(): boolean; onEnd(): void }) => T | Promise<T>,
    mounted: 'until-done' | 'until-end' = 'until-done',
  ): Promise<T> {
    const { locks, registry, snapshotter } = this.#engine;
    using held = await locks.acquire(id);
    const container = registry.resolve(id);
    const isWanted = (): boolean => held.isWanted();
    const live = this.#live(ref, id);
    if (live) return await use(live, { isWanted, onEnd: () => {} });
    const rootfs = snapshotter.mount(id);
    const source: ArchiveSource = {
      ref,
      open: () => this.#openStopped(container, rootfs),
      ...ownersOf(container),
    };
    const onEnd = (): void => void this.#unmountLater(id);
    let isHeld = false;
    try {
      await mountSources(this.#engine, container);
      const result = await use(source, { isWanted, onEnd });
      isHeld = mounted === 'until-end';
      return result;
    } finally {
      if (!isHeld) await this.#unmountIdle(id);
    }
  }

  #openStopped(container: Container, rootfs: string) {
    return openStoppedTree(this.#engine.sys.files, {
      rootfs,
      readonlyRootfs: container.hostConfig.readonlyRootfs,
      mounts: stoppedMounts(container),
    });
  }

  /** For an end that nobody waits for; what stays mounted goes with the next run or removal. */
  async #unmountLater(id: string): Promise<void> {
    const { locks, logger } = this.#engine;
    try {
      await locks.run(id, () => this.#unmountIdle(id));
    } catch (error) {
      logger.warn('not unmounted after a copy', { container: id, error: errorMessage(error) });
    }
  }

  async #unmountIdle(id: string): Promise<void> {
    const container = this.#engine.registry.byId(id);
    if (!container || isAlive(container.state)) return;
    try {
      await unmountAll(this.#engine, id, [id, ...imageKeys(container.mounts)]);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
}

const ownersOf = (container: Container | undefined): Pick<ArchiveSource, 'owners'> =>
  container?.idMappings ? { owners: container.idMappings } : {};

/** Volumes, binds and the engine's own files, which exist once the container has been started. */
function stoppedMounts(container: Container): StoppedMount[] {
  const mounted = container.mounts
    .filter(({ type }) => type !== 'tmpfs')
    .map(({ destination, source, subpath, rw }) => ({
      destination,
      source,
      ...(subpath ? { subpath } : {}),
      readOnly: !rw,
    }));
  const readOnly = container.hostConfig.readonlyRootfs;
  const files = [
    { destination: '/etc/resolv.conf', source: container.resolvConfPath, readOnly },
    { destination: '/etc/hostname', source: container.hostnamePath, readOnly },
    { destination: '/etc/hosts', source: container.hostsPath, readOnly },
  ];
  const taken = new Set(mounted.map(({ destination }) => destination));
  return [
    ...files.filter(({ destination, source }) => !taken.has(destination) && existsSync(source)),
    ...mounted,
  ];
}
