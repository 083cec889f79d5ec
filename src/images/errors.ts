import {
  conflict,
  dataLoss,
  errorMessage,
  type GantryError,
  invalidArgument,
  notFound,
  shortId,
} from '#base';
import { type Digest, familiarReference, type Reference, withDefaultTag } from '#oci';

/** Texts that docker's clients print or search for. Source: moby daemon/images, image/tarexport, as of engine 28. */
export const noSuchImage = (ref: Reference | Digest): GantryError =>
  notFound(`No such image: ${typeof ref === 'string' ? ref : familiarReference(withDefaultTag(ref))}`);

/** `docker save` of something that is not there. */
export const noSuchImageToSave = (name: string): GantryError => notFound(`No such image: ${name}`);

export const ambiguousId = (): GantryError => invalidArgument('ambiguous digest string');

export const invalidPattern = (): GantryError => invalidArgument('syntax error in pattern');

export const referenceInUse = (name: string, containerId: string, image: Digest): GantryError =>
  conflict(
    `conflict: unable to remove repository reference ${JSON.stringify(name)} (must force) - container ` +
      `${shortId(containerId)} is using its referenced image ${shortId(image)}`,
  );

/** Why an image cannot be deleted. `hard` conflicts hold even against force. */
export interface DeleteConflict {
  readonly hard: boolean;
  /** A container uses the image. */
  readonly used: boolean;
  readonly reason: string;
}

export const deleteConflict = (image: Digest, { hard, reason }: DeleteConflict): GantryError =>
  conflict(
    `conflict: unable to delete ${shortId(image)} (${hard ? 'cannot be forced' : 'must be forced'}) - ${reason}`,
  );

export const pruneRunning = (): GantryError => conflict('a prune operation is already running');

export const unsupportedOs = (os: string): GantryError => invalidArgument(`cannot load ${os} image on linux`);

export const layerCountMismatch = (expected: number, actual: number): GantryError =>
  invalidArgument(`invalid manifest, layers length mismatch: expected ${expected}, got ${actual}`);

export const diffIdMismatch = (index: number, expected: string, actual: string): GantryError =>
  dataLoss(`invalid diffID for layer ${index}: expected "${expected}", got "${actual}"`);

/** A layer that turned out to be another one only when it was unpacked. */
export const damagedLayer = (index: number, cause: unknown): GantryError =>
  dataLoss(`invalid diffID for layer ${index}: ${errorMessage(cause)}`, { cause });

/** A stored blob that is no longer what its digest says. */
export const damagedBlob = (digest: Digest): GantryError => dataLoss(`blob ${digest} is damaged`);

export const nullManifest = (): GantryError =>
  invalidArgument('invalid manifest, manifest cannot be null (but can be [])');

export const tooManyHistoryLayers = (): GantryError =>
  invalidArgument('too many non-empty layers in History section');

export const missingArchiveMember = (path: string): GantryError =>
  invalidArgument(`open ${path}: no such file or directory`);

export const notAnImageArchive = (): GantryError =>
  invalidArgument('unrecognized image format: neither manifest.json nor index.json is in the archive');

export const invalidTag = (tag: string): GantryError => invalidArgument(`invalid tag ${JSON.stringify(tag)}`);

/** A document of an archive that breaks its own rules. `what` names it: `manifest.json`, `index.json`, … */
export const malformed = (what: string, reason: string, cause?: unknown): GantryError =>
  invalidArgument(`invalid ${what}: ${reason}`, cause === undefined ? {} : { cause });

export const notAChangeCommand = (command: string): GantryError =>
  invalidArgument(`${command} is not a valid change command`);

export const tagWithDigest = (): GantryError =>
  invalidArgument('refusing to create a tag with a digest reference');

export const ambiguousTag = (): GantryError =>
  invalidArgument('refusing to create an ambiguous tag using digest algorithm as name');

export const wrongPlatform = (reference: string, actual: string, wanted: string): GantryError =>
  notFound(
    `image with reference ${reference} was found but its platform (${actual}) does not match the specified platform (${wanted})`,
  );
