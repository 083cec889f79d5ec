import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { conflict, dataLoss, invalidArgument, KeyedMutex, notFound } from '#base';
import type { Digest } from '#oci';
import { syncDirectory } from '../../content/directory.ts';
import { storeError } from '../../errors.ts';
import type { AppliedLayer, ApplyLayerOptions, Collection, StagedLayer } from '../../types.ts';
import type { ApplyResult } from '../apply/apply-archive.ts';
import type { ApplyPool } from '../apply/worker-pool.ts';
import { filesOf, type Layout, recordOf } from './layout.ts';
import type { LayerRecord } from './records.ts';
import { StagedDirectory } from './staged-directory.ts';
import type { Trash } from './trash.ts';

export interface LayerStoreOptions {
  readonly layout: Layout;
  readonly rows: Collection<LayerRecord>;
  readonly trash: Trash;
  readonly pool: ApplyPool;
  /** Whether a snapshot stands on this layer. */
  readonly isUsed: (chainId: Digest) => boolean;
}

/** Committed layers: a directory each, present when its row is. */
export class LayerStore {
  readonly #layout: Layout;
  readonly #rows: Collection<LayerRecord>;
  readonly #trash: Trash;
  readonly #pool: ApplyPool;
  readonly #isUsed: (chainId: Digest) => boolean;
  readonly #mutex = new KeyedMutex();
  /** Parents of layers being applied, with how many: they must not go away meanwhile. */
  readonly #parentsInUse = new Map<Digest, number>();

  constructor({ layout, rows, trash, pool, isUsed }: LayerStoreOptions) {
    this.#layout = layout;
    this.#rows = rows;
    this.#trash = trash;
    this.#pool = pool;
    this.#isUsed = isUsed;
  }

  get(chainId: Digest): LayerRecord | undefined {
    return this.#rows.get(chainId);
  }

  list(): Digest[] {
    return this.#rows.entries().map(([, { chainId }]) => chainId);
  }

  apply(options: ApplyLayerOptions): Promise<AppliedLayer> {
    return this.#mutex.run(options.chainId, async () => {
      const existing = this.#rows.get(options.chainId);
      if (existing) return { diffId: existing.diffId, sizeBytes: existing.sizeBytes };
      using _parent = this.#hold(options.parent);
      return await this.#applyNew(options);
    });
  }

  stage(blobPath: string): StagedLayer | undefined {
    const directory = this.#makeStaging();
    const staged = StagedDirectory.start({ directory, blobPath, pool: this.#pool, trash: this.#trash });
    if (staged === undefined) this.#trash.discard(directory);
    return staged;
  }

  /**
   * Directories that make up a layer, topmost first: what an overlay mount takes as its lower directories.
   * @throws `not_found` when the layer is missing, `data_loss` when one below it is.
   */
  directories(chainId: Digest): string[] {
    const found: string[] = [];
    for (let next: Digest | undefined = chainId; next !== undefined; ) {
      const record: LayerRecord | undefined = this.#rows.get(next);
      if (!record) {
        if (found.length === 0) throw notFound(`layer ${chainId} not found`);
        throw dataLoss(`layer ${next} is missing below ${chainId}`);
      }
      found.push(filesOf(this.#layout.layer(next)));
      next = record.hasOpaqueRoot ? undefined : record.parent;
    }
    return found;
  }

  async remove(chainId: Digest): Promise<void> {
    // At once where nobody works on it, so that what the caller has just checked still holds.
    if (this.#mutex.isHeld(chainId)) await this.#mutex.run(chainId, () => this.#removeNow(chainId));
    else this.#removeNow(chainId);
  }

  #removeNow(chainId: Digest): void {
    if (this.#isHeld(chainId)) throw conflict(`layer ${chainId} is in use`);
    // First the row: a crash in between leaves an orphan, which the next start removes.
    if (this.#rows.delete(chainId)) this.#trash.discard(this.#layout.layer(chainId));
  }

  #isHeld(chainId: Digest): boolean {
    if (this.#parentsInUse.has(chainId) || this.#isUsed(chainId)) return true;
    return this.#rows.entries().some(([, { parent }]) => parent === chainId);
  }

  #hold(parent: Digest | undefined): Disposable {
    if (parent === undefined) return { [Symbol.dispose]: () => {} };
    if (!this.#rows.get(parent)) throw notFound(`parent layer ${parent} not found`);
    this.#parentsInUse.set(parent, (this.#parentsInUse.get(parent) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const count = (this.#parentsInUse.get(parent) ?? 1) - 1;
        if (count === 0) this.#parentsInUse.delete(parent);
        else this.#parentsInUse.set(parent, count);
      },
    };
  }

  #makeStaging(): string {
    const staged = join(this.#layout.staging, randomUUID());
    mkdirSync(filesOf(staged), { recursive: true, mode: 0o700 });
    return staged;
  }

  async #applyNew(options: ApplyLayerOptions): Promise<AppliedLayer> {
    const early = options.parent === undefined ? claim(options.staged) : undefined;
    const staged = early?.directory ?? this.#makeStaging();
    try {
      const { diffId = options.blobDigest, ...found } = await (early?.result ??
        this.#unpack(staged, options));
      if (diffId === undefined) throw invalidArgument('a staged layer needs the digest of its blob');
      const result = { ...found, diffId };
      const { expectedDiffId } = options;
      if (expectedDiffId !== undefined && expectedDiffId !== result.diffId)
        throw dataLoss(`layer content does not match: expected ${expectedDiffId}, got ${result.diffId}`);
      await this.#publish(staged, options, result);
      return { diffId: result.diffId, sizeBytes: result.sizeBytes };
    } catch (error) {
      this.#trash.discard(staged);
      throw storeError(`apply layer ${options.chainId}`, error);
    }
  }

  #unpack(staged: string, { blobPath, blobDigest, parent, signal }: ApplyLayerOptions): Promise<ApplyResult> {
    const job = {
      blobPath,
      targetDir: filesOf(staged),
      parentDirs: parent === undefined ? [] : this.directories(parent),
      ...(blobDigest === undefined ? {} : { blobDigest }),
    };
    return this.#pool.run(job, signal);
  }

  /** The layer's files have been synced by the Worker; the row comes last. */
  async #publish(
    staged: string,
    options: ApplyLayerOptions,
    result: ApplyResult & AppliedLayer,
  ): Promise<void> {
    const { chainId, parent } = options;
    const record: LayerRecord = { chainId, ...result, ...(parent === undefined ? {} : { parent }) };
    await writeDurably(recordOf(staged), JSON.stringify(record));
    await syncDirectory(staged);
    const target = this.#layout.layer(chainId);
    if (existsSync(target)) this.#trash.discard(target);
    await rename(staged, target);
    await syncDirectory(this.#layout.layers);
    this.#rows.put(chainId, record);
  }
}

/** Takes over what has been unpacked early; what another back end staged is left alone. */
const claim = (staged: StagedLayer | undefined) =>
  staged instanceof StagedDirectory ? staged.claim() : undefined;

async function writeDurably(path: string, text: string): Promise<void> {
  await using handle = await open(path, 'w', 0o600);
  await handle.writeFile(text);
  await handle.sync();
}
