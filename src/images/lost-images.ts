import { type ErrorCode, errorCode } from '#base';
import type { Digest } from '#oci';
import type { ContentStore, LostRows } from '#store';
import { MAX_CONFIG_BYTES, parseImageConfig } from './config.ts';

/** What says that a config is lost. Anything else (no descriptors, a disk that errs) may pass. */
const LOSSES: ReadonlySet<ErrorCode> = new Set(['not_found', 'data_loss', 'invalid_argument']);

/** Whether a failed reading of a config says that there is none, now and later. */
export const isLoss = (error: unknown): boolean => LOSSES.has(errorCode(error));

/**
 * Images whose rows were damaged. Which blobs and layers they need is not known any more, so nothing is collected until
 * they are loaded again or removed.
 */
export type LostImages = LostRows<Digest>;

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
