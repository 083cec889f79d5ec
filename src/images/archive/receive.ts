import { statSync } from 'node:fs';
import type { ContentStore, Ingest, Snapshotter, StagedLayer } from '#store';
import type { Lease } from '../garbage.ts';
import { detectCompression, MAGIC_BYTES } from './compression.ts';
import type { Member } from './spool.ts';

/** One write of this size costs a system call and a thread hop less than many small ones. */
const BATCH_BYTES = 1024 * 1024;
/** A smaller blob is unpacked sooner than a Worker is ready. */
const MIN_STAGED_BYTES = 8 * BATCH_BYTES;
/** Where every tar has its magic: `ustar` at 257 in the first header. */
const USTAR_OFFSET = 257;

export interface ReceiveOptions {
  readonly content: ContentStore;
  readonly snapshotter: Snapshotter;
  readonly lease: Lease;
  readonly signal?: AbortSignal | undefined;
  /** Whether this may become the lowest layer of an image that is not here yet. */
  readonly mayBeNew: boolean;
}

/**
 * Writes a stream to the content store. A large plain tar is unpacked beside, while it arrives, in case it is the
 * lowest layer of an image: then it is ready when the last byte is. What is not used goes with the lease.
 * @throws what the source throws; nothing is left then.
 */
export async function receiveBlob(
  source: AsyncIterable<Uint8Array>,
  options: ReceiveOptions,
): Promise<Member> {
  const ingest = await options.content.openAnonymousIngest();
  const receiver = new Receiver(ingest, options);
  try {
    for await (const chunk of source) {
      options.signal?.throwIfAborted();
      await receiver.take(chunk);
    }
    await receiver.flush();
    const info = options.lease.written(await ingest.commit());
    const { staged } = receiver;
    staged?.grown(info.size);
    staged?.complete();
    return { ...info, bytes: undefined, ...(staged === undefined ? {} : { staged }) };
  } finally {
    await ingest.abort();
  }
}

class Receiver {
  readonly #ingest: Ingest;
  readonly #options: ReceiveOptions;
  readonly #batch = Buffer.allocUnsafe(BATCH_BYTES);
  #fill = 0;
  #written = 0;
  #mayStage: boolean;
  staged: StagedLayer | undefined;

  constructor(ingest: Ingest, options: ReceiveOptions) {
    this.#ingest = ingest;
    this.#options = options;
    this.#mayStage = options.mayBeNew;
  }

  async take(chunk: Uint8Array): Promise<void> {
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + BATCH_BYTES - this.#fill);
      this.#batch.set(part, this.#fill);
      this.#fill += part.length;
      at += part.length;
      if (this.#fill === BATCH_BYTES) await this.flush();
    }
  }

  async flush(): Promise<void> {
    if (this.#fill === 0) return;
    if (this.#written === 0) this.#mayStage &&= looksLikeTar(this.#batch.subarray(0, this.#fill));
    await this.#ingest.write(this.#batch.subarray(0, this.#fill));
    this.#written += this.#fill;
    this.#fill = 0;
    if (this.#mayStage && this.#written >= MIN_STAGED_BYTES) this.#stage();
    // The ingest may hold back the end of what it was given: only what is in the file can be read.
    if (this.staged) this.staged.grown(statSync(this.#ingest.path).size);
  }

  #stage(): void {
    this.#mayStage = false;
    const { lease, snapshotter } = this.#options;
    const staged = snapshotter.stageLayer?.({ blobPath: this.#ingest.path });
    if (staged) lease.defer(() => staged.abandon());
    this.staged = staged;
  }
}

const looksLikeTar = (start: Buffer): boolean =>
  detectCompression(start.subarray(0, MAGIC_BYTES)) === 'none' &&
  start.toString('latin1', USTAR_OFFSET, USTAR_OFFSET + 5) === 'ustar';
