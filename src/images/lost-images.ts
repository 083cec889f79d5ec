import { dataLoss, type ErrorCode, errorCode, errorMessage, type Logger } from '#base';
import { type Digest, isDigest } from '#oci';
import type { Collection, ContentStore, MetadataStore } from '#store';
import { MAX_CONFIG_BYTES, parseImageConfig } from './config.ts';

/** Why an image has no row that can be read. */
export interface LostImage {
  readonly reason: string;
}

/** What says that a config is lost. Anything else (no descriptors, a disk that errs) may pass. */
const LOSSES: ReadonlySet<ErrorCode> = new Set(['not_found', 'data_loss', 'invalid_argument']);

/** Whether a failed reading of a config says that there is none, now and later. */
export const isLoss = (error: unknown): boolean => LOSSES.has(errorCode(error));

const COLLECTION = 'lost_images';

/**
 * Images whose rows were damaged, by ID. Which blobs and layers they need is not known any more, so they are remembered
 * here, beyond the daemon that found the damage, until they are loaded again or removed.
 */
export class LostImages {
  readonly #rows: Collection<LostImage>;
  readonly #known: Map<Digest, LostImage>;

  readonly #logger: Logger;

  /** Open it after the collection `images` has been read. */
  constructor(rows: Collection<LostImage>, metadata: MetadataStore, logger: Logger) {
    this.#logger = logger;
    this.#rows = rows;
    this.#known = new Map(this.#rows.entries().map(([id, row]) => [id as Digest, row]));
    for (const { collection, key, reason } of metadata.quarantined) {
      if ((collection === 'images' || collection === COLLECTION) && isDigest(key)) this.add(key, reason);
    }
  }

  add(id: Digest, reason: string): void {
    if (this.#known.has(id)) return;
    this.#known.set(id, { reason });
    this.#note(id, () => this.#rows.put(id, { reason }));
  }

  has(id: Digest): boolean {
    return this.#known.has(id);
  }

  all(): (readonly [id: Digest, row: LostImage])[] {
    return [...this.#known];
  }

  forget(id: Digest): void {
    if (this.#known.delete(id)) this.#note(id, () => this.#rows.delete(id));
  }

  /** Not for the next start, if need be; but a full disk keeps no daemon from starting. */
  #note(id: Digest, write: () => void): void {
    try {
      write();
    } catch (error) {
      this.#logger.warn('a lost row could not be noted', { image: id, error: errorMessage(error) });
    }
  }
}

/** A database that was made anew may lack rows: whatever is the config of an image may be that of somebody's image. */
export async function addRowless(
  lost: LostImages,
  content: ContentStore,
  isKnown: (id: Digest) => boolean,
): Promise<void> {
  for (const { digest, size } of content.list()) {
    if (size > MAX_CONFIG_BYTES || isKnown(digest)) continue;
    if (await isConfig(content, digest)) lost.add(digest, 'the metadata database was made anew');
  }
}

/** Also what cannot be read may be one. */
async function isConfig(content: ContentStore, digest: Digest): Promise<boolean> {
  try {
    parseImageConfig(await content.readAll(digest, { maxBytes: MAX_CONFIG_BYTES }));
    return true;
  } catch (error) {
    return !isLoss(error);
  }
}

export const lostImagesIn = (metadata: MetadataStore): Collection<LostImage> =>
  metadata.collection(COLLECTION, decodeLostImage);

function decodeLostImage(stored: unknown): LostImage {
  if (typeof stored !== 'object' || stored === null || !('reason' in stored))
    throw dataLoss('the lost image has no reason');
  return { reason: String(stored.reason) };
}
