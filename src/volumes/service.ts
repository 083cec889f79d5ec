import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createId, type EventBus, errnoCode, errorMessage, type Logger, MeasuredSizes } from '#base';
import type { Collection, MetadataStore } from '#store';
import type { Mounts } from '#sys';
import { decodeVolume } from './decode.ts';
import { checkDriverOptions } from './driver-options.ts';
import {
  invalidVolumeName,
  noSuchVolume,
  shortVolumeName,
  unknownVolumeDriver,
  volumeInUse,
} from './errors.ts';
import { volumeMatcher } from './filters.ts';
import type { CreateVolume, Volume, VolumeFilters, VolumeService } from './types.ts';
import { VolumeMounts, type VolumeMountsOptions } from './volume-mounts.ts';

export interface VolumeServiceOptions {
  readonly metadata: MetadataStore;
  /** Volumes live in `<dataRoot>/volumes/<name>/_data`. */
  readonly dataRoot: string;
  readonly mounts: Mounts;
  readonly events: EventBus;
  readonly logger: Logger;
  /** Who new volumes belong to. Default: root. */
  readonly owner?: VolumeOwner;
  /** Default: as {@link VolumeMountsOptions}. */
  readonly mountAside?: VolumeMountsOptions['mountAside'];
}

export interface VolumeOwner {
  readonly uid: number;
  readonly gid: number;
}

/** Tells clients that a volume got its name from us. Source: moby `daemon/volume/service/service.go`. */
const ANONYMOUS_LABEL = 'com.docker.volume.anonymous';
/** Trees on their way out, beside the volumes. No volume's name begins like this. */
const REMOVED_PREFIX = '.removed-';
const VALID_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Directories below the data root as volumes. */
export function createVolumeService(options: VolumeServiceOptions): VolumeService {
  return new LocalVolumes(options);
}

class LocalVolumes implements VolumeService {
  readonly #rows: Collection<Volume>;
  readonly #volumes: Map<string, Volume>;
  readonly #sizes = new MeasuredSizes({ measure: (mountpoint) => treeBytes(mountpoint) });
  readonly #holds = new Map<string, Set<string>>();
  readonly #mounts: VolumeMounts;
  readonly #root: string;
  readonly #events: EventBus;
  readonly #logger: Logger;
  readonly #owner: VolumeOwner | undefined;

  constructor({ metadata, dataRoot, mounts, events, logger, owner, mountAside }: VolumeServiceOptions) {
    this.#owner = owner;
    this.#rows = metadata.collection('volumes', decodeVolume);
    this.#volumes = new Map(this.#rows.entries());
    this.#root = join(dataRoot, 'volumes');
    this.#events = events;
    this.#logger = logger.child({ room: 'volumes' });
    this.#mounts = new VolumeMounts({
      ...{ mounts, logger: this.#logger },
      ...(mountAside ? { mountAside } : {}),
    });
    mkdirSync(this.#root, { recursive: true, mode: 0o711 });
    this.#reviewDirectories();
  }

  get(name: string): Volume {
    const volume = this.#volumes.get(name);
    if (!volume) throw noSuchVolume(name);
    return volume;
  }

  list(filters: VolumeFilters = {}): Volume[] {
    const matches = volumeMatcher(filters);
    const found = [...this.#volumes.values()].filter((volume) => matches(volume, this.#isHeld(volume.name)));
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async create(request: CreateVolume): Promise<Volume> {
    const name = request.name || createId();
    if (request.driver && request.driver !== 'local') throw unknownVolumeDriver(name, request.driver);
    const existing = this.#volumes.get(name);
    if (existing) return existing;
    checkName(name);
    checkDriverOptions(name, request.options ?? {});
    const volume = this.#describe(name, request);
    const outer = join(this.#root, name);
    // What a volume that has lost its row had mounted is not this one's.
    if (existsSync(outer)) this.#mounts.clear(volume.mountpoint);
    makeDirectory(outer, volume.mountpoint, this.#owner);
    this.#rows.put(name, volume);
    this.#volumes.set(name, volume);
    this.#publish('create', volume.name, { driver: volume.driver });
    return volume;
  }

  #describe(name: string, request: CreateVolume): Volume {
    return {
      name,
      driver: 'local',
      mountpoint: join(this.#root, name, '_data'),
      created: new Date().toISOString(),
      labels: { ...request.labels, ...(request.name ? {} : { [ANONYMOUS_LABEL]: '' }) },
      options: request.options ?? {},
      anonymous: !request.name,
    };
  }

  async remove(name: string, options: { readonly force?: boolean } = {}): Promise<void> {
    const volume = this.#volumes.get(name);
    if (!volume) {
      if (options.force) return;
      throw noSuchVolume(name);
    }
    const users = this.usersOf(name);
    if (users.length > 0) throw volumeInUse(name, users);
    // What is mounted goes first: it is not ours to delete.
    this.#mounts.forget(volume);
    await this.#delete(volume);
  }

  /**
   * The row goes first: what a crash leaves is a directory without a row, never a row without data. The name is free
   * before anything is waited for, so that a new volume of the same name is none of this one's business.
   */
  async #delete(volume: Volume): Promise<void> {
    const removed = join(this.#root, `${REMOVED_PREFIX}${randomUUID()}`);
    this.#rows.delete(volume.name);
    try {
      moveAway(join(this.#root, volume.name), removed);
    } catch (error) {
      this.#rows.put(volume.name, volume);
      throw error;
    }
    this.#volumes.delete(volume.name);
    this.#sizes.forget(volume.mountpoint);
    this.#publish('destroy', volume.name, { driver: volume.driver });
    await this.#discard(removed);
  }

  async #discard(removed: string): Promise<void> {
    try {
      await rm(removed, { recursive: true, force: true });
    } catch (error) {
      this.#logger.warn('cannot delete a removed volume, will try again at the next start', {
        path: removed,
        error: errorMessage(error),
      });
    }
  }

  async prune(filters: VolumeFilters = {}): Promise<{ deleted: string[]; reclaimedBytes: number }> {
    const isAll = (filters['all'] ?? []).some((value) => value === 'true' || value === '1');
    const candidates = this.list(filters).filter(
      ({ name, anonymous, options }) =>
        (anonymous || isAll) && !this.#isHeld(name) && Object.keys(options).length === 0,
    );
    const deleted: string[] = [];
    let reclaimedBytes = 0;
    for (const volume of candidates) {
      const bytes = await treeBytes(volume.mountpoint);
      // While its size was read a container may have taken the volume, or another one its name.
      if (this.#isHeld(volume.name) || this.#volumes.get(volume.name) !== volume) continue;
      await this.#delete(volume);
      deleted.push(volume.name);
      reclaimedBytes += bytes;
    }
    this.#publish('prune', '', { reclaimed: String(reclaimedBytes) });
    return { deleted, reclaimedBytes };
  }

  async usage(name: string): Promise<number> {
    // Anybody on the host may write to it at any time.
    return await this.#sizes.get(this.get(name).mountpoint, { isChanging: true });
  }

  hold(name: string, containerId: string): void {
    const users = this.#holds.get(name) ?? new Set<string>();
    this.#holds.set(name, users.add(containerId));
  }

  release(name: string, containerId: string): void {
    const users = this.#holds.get(name);
    users?.delete(containerId);
    if (users?.size === 0) this.#holds.delete(name);
  }

  usersOf(name: string): readonly string[] {
    // While the kernel may still mount something there the volume cannot go, even when nobody waits for it any more.
    return [...new Set([...(this.#holds.get(name) ?? []), ...this.#mounts.waitersOf(name)])];
  }

  async mount(name: string, user: string): Promise<void> {
    await this.#mounts.mount(this.get(name), user);
  }

  async unmountFor(user: string): Promise<void> {
    await this.#mounts.release(user, (name) => this.#volumes.get(name));
  }

  restoreMounts(users: ReadonlyMap<string, readonly string[]>): void {
    this.#mounts.restore(users, [...this.#volumes.values()]);
  }

  giveUpMounts(user?: string): Disposable {
    return this.#mounts.giveUp(user);
  }

  #isHeld(name: string): boolean {
    return this.usersOf(name).length > 0;
  }

  /**
   * A directory without a row may hold a user's data (a damaged row): it is reported, never deleted. A removal that a
   * crash cut short is ended.
   */
  #reviewDirectories(): void {
    for (const name of readdirSync(this.#root)) {
      if (name.startsWith(REMOVED_PREFIX)) void this.#discard(join(this.#root, name));
      else if (!this.#volumes.has(name))
        this.#logger.warn('volume directory without a row', { volume: name });
    }
  }

  #publish(action: string, actorId: string, attributes: Readonly<Record<string, string>>): void {
    try {
      this.#events.publish({ type: 'volume', action, actorId, attributes });
    } catch (error) {
      this.#logger.warn('volume event not published', { error: errorMessage(error) });
    }
  }
}

function checkName(name: string): void {
  if (name.length < 2) throw shortVolumeName(name);
  if (!VALID_NAME.test(name)) throw invalidVolumeName(name);
}

/** `_data` is open to every user, as docker makes it; the directory around it is passable but not listable. */
function makeDirectory(outer: string, data: string, owner: VolumeOwner | undefined): void {
  mkdirSync(outer, { recursive: true });
  chmodSync(outer, 0o701);
  mkdirSync(data, { recursive: true });
  chmodSync(data, 0o755);
  if (owner) chownSync(data, owner.uid, owner.gid);
}

/** Fine when there is nothing to move. */
function moveAway(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') throw error;
  }
}

async function treeBytes(directory: string): Promise<number> {
  let total = 0;
  const entries = await readdir(directory, { withFileTypes: true, recursive: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    total += await lstat(join(entry.parentPath, entry.name)).then(
      ({ size }) => size,
      () => 0,
    );
  }
  return total;
}
