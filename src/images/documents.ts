import { type Descriptor, type Digest, isDigest } from '#oci';
import { malformed } from './errors.ts';
import { isArray, isObject, isString, optionalField, requiredField } from './json.ts';
import { parseDescriptor } from './manifest.ts';

/**
 * What the metadata store keeps of an image besides its config blob, which is named by the key.
 * Stored: change only by adding optional fields.
 */
export interface ImageDocument {
  /** Blobs of the layers, base first: one for each diffID of the config. */
  readonly layers: readonly Descriptor[];
  /** The manifest it came with, whose blob is kept. */
  readonly manifest?: Descriptor;
  readonly parent?: Digest;
  /** ISO time of the last tagging. */
  readonly lastTagTime?: string;
}

/** A name of an image; the key is the canonical reference. */
export interface ReferenceDocument {
  readonly image: Digest;
}

/** @throws for anything but an image document; the store then sets it aside. */
export function decodeImage(stored: unknown): ImageDocument {
  const what = 'stored image';
  if (!isObject(stored)) throw malformed(what, 'not an object');
  const layers = requiredField(stored, 'layers', isArray, what);
  const parent = optionalField(stored, 'parent', isDigestValue, what);
  const lastTagTime = optionalField(stored, 'lastTagTime', isString, what);
  const manifest = stored['manifest'];
  return {
    layers: layers.map((layer) => parseDescriptor(layer, what)),
    ...(manifest === undefined ? {} : { manifest: parseDescriptor(manifest, what) }),
    ...(parent === undefined ? {} : { parent }),
    ...(lastTagTime === undefined ? {} : { lastTagTime }),
  };
}

/** @throws for anything but a reference document. */
export function decodeReference(stored: unknown): ReferenceDocument {
  if (!isObject(stored)) throw malformed('stored reference', 'not an object');
  return { image: requiredField(stored, 'image', isDigestValue, 'stored reference') };
}

const isDigestValue = (value: unknown): value is Digest => isString(value) && isDigest(value);
