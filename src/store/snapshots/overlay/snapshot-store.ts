import { chmodSync, chownSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { rmdir } from 'node:fs/promises';
import { conflict, errnoCode, invalidArgument, notFound } from '#base';
import { type Digest, type IdMappings, mappedRoot, OVERFLOW_ID, toHostId } from '#oci';
import type { Files, Mounts } from '#sys';
import { storeError } from '../../errors.ts';
import type { Collection, SnapshotOptions } from '../../types.ts';
import type { LayerStore } from './layer-store.ts';
import { type Layout, recordOf, type SnapshotPaths } from './layout.ts';
import { isSnapshotKey, type SnapshotRecord } from './records.ts';
import type { Trash } from './trash.ts';

/**
 * With the index a crash can leave an upper directory that refuses its next mount (ESTALE); redirects and metacopy
 * would make the upper tree unreadable without its lower ones, which `changes` and `diff` do.
 */
const OVERLAY_OPTIONS = { index: 'off', metacopy: 'off', redirect_dir: 'off' } as const;

/**
 * A snapshot means nothing without its container, whose row follows (create) or says that it is being removed (remove). A
 * power cut that undoes the one undoes the other: a tree without a row is deleted, a row without its tree is removed again.
 */
const DURABILITY = { durability: 'ordered' } as const;

/** What unmounting says about something that is not mounted. */
const NOT_MOUNTED = new Set(['EINVAL', 'ENOENT']);
/** Docker gives `/` this mode whatever the image says; images made from private directories rely on it. */
const ROOT_MODE = 0o755;
/** What a user namespace's root must pass on its way to its tree, but not list. */
const PASSABLE_MODE = 0o711;
/** The same for one's own directory: only for the group of that root. */
const OWN_PASSABLE_MODE = 0o710;

export interface SnapshotStoreOptions {
  readonly layout: Layout;
  readonly rows: Collection<SnapshotRecord>;
  readonly layers: () => LayerStore;
  readonly trash: Trash;
  readonly sys: { readonly mounts: Mounts; readonly files: Files };
}

/** Writable trees of containers, present when their row is. */
export class SnapshotStore {
  readonly #layout: Layout;
  readonly #rows: Collection<SnapshotRecord>;
  readonly #layers: () => LayerStore;
  readonly #trash: Trash;
  readonly #sys: SnapshotStoreOptions['sys'];

  constructor({ layout, rows, layers, trash, sys }: SnapshotStoreOptions) {
    this.#layout = layout;
    this.#rows = rows;
    this.#layers = layers;
    this.#trash = trash;
    this.#sys = sys;
  }

  list(): string[] {
    return this.#rows.entries().map(([key]) => key);
  }

  /** Whether a snapshot stands directly on this layer. */
  uses(chainId: Digest): boolean {
    return this.#rows.entries().some(([, { parent }]) => parent === chainId);
  }

  create(key: string, parent: Digest | undefined, { mappings, label }: SnapshotOptions = {}): void {
    if (!isSnapshotKey(key)) throw invalidArgument(`invalid snapshot key ${JSON.stringify(key)}`);
    if (this.#rows.get(key)) throw conflict(`snapshot '${key}' exists already`);
    const record: SnapshotRecord = {
      key,
      ...(parent === undefined ? {} : { parent }),
      ...(mappings === undefined ? {} : { mappings }),
      ...(label === undefined ? {} : { label }),
    };
    const lower = this.lowerDirectories(record);
    const { dir } = this.#layout.snapshot(key);
    try {
      // Left by an earlier process that died before it wrote the row.
      this.#trash.discard(dir);
      this.#makeDirectories(record, lower[0]);
      this.#rows.put(key, record, DURABILITY);
    } catch (error) {
      this.#trash.discard(dir);
      throw storeError(`create snapshot '${key}'`, error);
    }
  }

  /** Makes the directories of a snapshot whose row survived a power cut that they did not. */
  remake(record: SnapshotRecord): void {
    this.#makeDirectories(record, undefined);
  }

  /** Not synced: an empty tree can be made again. */
  #makeDirectories(record: SnapshotRecord, topLayer: string | undefined): void {
    const { dir, upper, work, merged } = this.#layout.snapshot(record.key);
    for (const path of [dir, upper, work, merged]) mkdirSync(path, { recursive: true, mode: 0o700 });
    writeFileSync(recordOf(dir), JSON.stringify(record), { mode: 0o600 });
    if (record.mappings) this.#letIn(dir, mappedRoot(record.mappings).gid);
    using root = this.#sys.files.openRoot(upper);
    root.chmod('', ROOT_MODE);
    const top = topLayer === undefined ? undefined : statSync(topLayer, { bigint: true });
    const owner = ownerOnHost({ uid: Number(top?.uid ?? 0), gid: Number(top?.gid ?? 0) }, record.mappings);
    root.lchown('', owner.uid, owner.gid);
    if (top) root.lutimes('', { atimeNs: top.mtimeNs, mtimeNs: top.mtimeNs });
  }

  /** A runtime that has entered the user namespace is no root any more on its way to the tree. */
  #letIn(dir: string, gid: number): void {
    for (const path of [this.#layout.root, this.#layout.snapshots]) chmodSync(path, PASSABLE_MODE);
    chownSync(dir, 0, gid);
    chmodSync(dir, OWN_PASSABLE_MODE);
  }

  mount(key: string): string {
    const record = this.record(key);
    const { upper, work, merged } = this.#layout.snapshot(key);
    if (this.isMounted(key)) return merged;
    const lower = this.lowerDirectories(record);
    try {
      // A removal that failed later has taken it away.
      if (!existsSync(merged)) mkdirSync(merged, { mode: 0o700 });
      this.#sys.mounts.mountOverlay({
        lowerdirs: lower.length > 0 ? lower : [this.#layout.empty],
        upperdir: upper,
        workdir: work,
        target: merged,
        options: record.label ? { ...OVERLAY_OPTIONS, context: record.label } : OVERLAY_OPTIONS,
        ...(record.mappings ? { lowerMappings: record.mappings } : {}),
      });
    } catch (error) {
      throw storeError(`mount snapshot '${key}'`, error);
    }
    return merged;
  }

  unmount(key: string): void {
    if (!isSnapshotKey(key)) return;
    try {
      this.#sys.mounts.unmount(this.#layout.snapshot(key).merged, { detach: true });
    } catch (error) {
      if (!NOT_MOUNTED.has(errnoCode(error) ?? '')) throw storeError(`unmount snapshot '${key}'`, error);
    }
  }

  /** Asks the kernel, not our memory: a mount outlives the daemon that made it. */
  isMounted(key: string): boolean {
    if (!isSnapshotKey(key)) return false;
    const { dir, merged } = this.#layout.snapshot(key);
    const parent = statSync(dir, { throwIfNoEntry: false });
    const tree = statSync(merged, { throwIfNoEntry: false });
    // An overlay always has a device number of its own.
    return parent !== undefined && tree !== undefined && tree.dev !== parent.dev;
  }

  async remove(key: string): Promise<void> {
    if (!isSnapshotKey(key)) return;
    const { dir, merged } = this.#layout.snapshot(key);
    this.unmount(key);
    await removeMountPoint(key, merged);
    // First the row: a crash in between leaves an orphan, which the next start removes.
    this.#rows.delete(key, DURABILITY);
    this.#trash.discard(dir);
  }

  /** @throws `not_found`. */
  record(key: string): SnapshotRecord {
    const record = this.#rows.get(key);
    if (!record) throw notFound(`snapshot '${key}' not found`);
    return record;
  }

  paths(key: string): SnapshotPaths {
    return this.#layout.snapshot(key);
  }

  /** Topmost first; none for an empty base. */
  lowerDirectories({ parent }: SnapshotRecord): string[] {
    return parent === undefined ? [] : this.#layers().directories(parent);
  }
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

function ownerOnHost({ uid, gid }: Owner, mappings: IdMappings | undefined): Owner {
  if (!mappings) return { uid, gid };
  return {
    uid: toHostId(uid, mappings.uids) ?? OVERFLOW_ID,
    gid: toHostId(gid, mappings.gids) ?? OVERFLOW_ID,
  };
}

/**
 * Fails while anything is mounted there, so that no deletion ever descends into a mount. Off this thread: where the mount is
 * still in a namespace that a runtime is just copying, the kernel takes it out of there and waits (RCU).
 */
async function removeMountPoint(key: string, merged: string): Promise<void> {
  try {
    await rmdir(merged);
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') throw storeError(`remove snapshot '${key}'`, error);
  }
}
