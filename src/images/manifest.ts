import { type Descriptor, type Index, isDigest, type Manifest, MEDIA_TYPE, type Platform } from '#oci';
import { malformed } from './errors.ts';
import {
  isArray,
  isObject,
  isSize,
  isString,
  isStringMap,
  isStrings,
  type JsonObject,
  optionalField,
  parseJson,
  requiredField,
} from './json.ts';

/** Limit for manifests and indexes, as registries have it (distribution-spec: at least 4 MiB). */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
/** No more layers can be mounted by overlayfs in one go; docker's own limit is 127. */
const MAX_LAYERS = 4096;
const MAX_INDEX_ENTRIES = 4096;

const MANIFEST_TYPES: readonly string[] = [MEDIA_TYPE.ociManifest, MEDIA_TYPE.dockerManifest];
const INDEX_TYPES: readonly string[] = [MEDIA_TYPE.ociIndex, MEDIA_TYPE.dockerIndex];
const CONFIG_TYPES: readonly string[] = [MEDIA_TYPE.ociConfig, MEDIA_TYPE.dockerConfig];

export const isManifestType = (mediaType: string): boolean => MANIFEST_TYPES.includes(mediaType);
export const isIndexType = (mediaType: string): boolean => INDEX_TYPES.includes(mediaType);
export const isConfigType = (mediaType: string): boolean => CONFIG_TYPES.includes(mediaType);

/**
 * Parses a manifest that was announced as `mediaType`.
 *
 * One and the same blob must not be readable as manifest and as index (CVE-2021-41190): the media type inside has
 * to equal the announced one, and fields of the other kind are refused.
 * @throws `invalid_argument`.
 */
export function parseManifest(bytes: Uint8Array, mediaType: string): Manifest {
  const what = 'manifest';
  const document = parseVersioned(bytes, what, mediaType, ['manifests', 'fsLayers']);
  const layers = requiredField(document, 'layers', isArray, what);
  if (layers.length > MAX_LAYERS) throw malformed(what, `more than ${MAX_LAYERS} layers`);
  const artifactType = optionalField(document, 'artifactType', isString, what);
  return {
    schemaVersion: 2,
    mediaType,
    ...(artifactType === undefined ? {} : { artifactType }),
    config: parseDescriptor(document['config'], `${what} config`),
    layers: layers.map((layer) => parseDescriptor(layer, `${what} layer`)),
  };
}

/** Parses an image index or manifest list, by the same rules. @throws `invalid_argument`. */
export function parseIndex(bytes: Uint8Array, mediaType: string): Index {
  const what = 'index';
  const document = parseVersioned(bytes, what, mediaType, ['layers', 'config', 'fsLayers']);
  const manifests = requiredField(document, 'manifests', isArray, what);
  if (manifests.length > MAX_INDEX_ENTRIES) throw malformed(what, `more than ${MAX_INDEX_ENTRIES} manifests`);
  return {
    schemaVersion: 2,
    mediaType,
    manifests: manifests.map((entry) => parseDescriptor(entry, `${what} entry`)),
  };
}

function parseVersioned(
  bytes: Uint8Array,
  what: string,
  mediaType: string,
  foreign: readonly string[],
): JsonObject {
  const document = parseJson(bytes, what, MAX_MANIFEST_BYTES);
  if (!isObject(document)) throw malformed(what, 'not an object');
  if (document['schemaVersion'] !== 2) throw malformed(what, 'unsupported schemaVersion');
  const inside = optionalField(document, 'mediaType', isString, what) ?? mediaType;
  if (inside !== mediaType) {
    throw malformed(
      what,
      `media type ${JSON.stringify(inside)} inside, ${JSON.stringify(mediaType)} expected`,
    );
  }
  for (const field of foreign) {
    if (field in document) throw malformed(what, `ambiguous: it has ${JSON.stringify(field)}`);
  }
  return document;
}

/** @throws `invalid_argument`. `what` names the place. */
export function parseDescriptor(value: unknown, what: string): Descriptor {
  if (!isObject(value)) throw malformed(what, 'not a descriptor');
  const digest = requiredField(value, 'digest', isString, what);
  if (!isDigest(digest)) throw malformed(what, `unsupported digest ${JSON.stringify(digest.slice(0, 100))}`);
  const urls = optionalField(value, 'urls', isStrings, what);
  const annotations = optionalField(value, 'annotations', isStringMap, what);
  const platform = optionalField(value, 'platform', isObject, what);
  return {
    mediaType: requiredField(value, 'mediaType', isString, what),
    digest,
    size: requiredField(value, 'size', isSize, what),
    ...(urls === undefined ? {} : { urls }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(platform === undefined ? {} : { platform: parsePlatformObject(platform, what) }),
  };
}

function parsePlatformObject(value: JsonObject, what: string): Platform {
  const variant = optionalField(value, 'variant', isString, what);
  const version = optionalField(value, 'os.version', isString, what);
  return {
    architecture: requiredField(value, 'architecture', isString, what),
    os: requiredField(value, 'os', isString, what),
    ...(version === undefined ? {} : { 'os.version': version }),
    ...(variant === undefined ? {} : { variant }),
  };
}
