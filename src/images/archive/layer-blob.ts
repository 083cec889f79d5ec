import { ownValue } from '#base';
import { type Descriptor, MEDIA_TYPE } from '#oci';
import type { ContentStore } from '#store';
import { malformed } from '../errors.ts';
import { type Compression, detectCompression } from './compression.ts';
import { type Member, memberHead } from './spool.ts';

const MEDIA_TYPE_OF: Partial<Record<Compression, string>> = {
  none: MEDIA_TYPE.ociLayerTar,
  gzip: MEDIA_TYPE.ociLayerTarGzip,
  zstd: MEDIA_TYPE.ociLayerTarZstd,
};

const COMPRESSION_OF: Readonly<Record<string, Compression>> = {
  [MEDIA_TYPE.ociLayerTar]: 'none',
  [MEDIA_TYPE.dockerLayerTar]: 'none',
  [MEDIA_TYPE.ociLayerTarGzip]: 'gzip',
  [MEDIA_TYPE.dockerLayerTarGzip]: 'gzip',
  [MEDIA_TYPE.ociLayerTarZstd]: 'zstd',
};

/** Describes a layer whose archive says nothing about it. @throws `invalid_argument` for bzip2 and xz. */
export function layerDescriptor(blob: Member, content: ContentStore): Descriptor {
  const compression = detectCompression(memberHead(blob, content));
  const mediaType = MEDIA_TYPE_OF[compression];
  if (mediaType === undefined) throw malformed('layer', `${compression} is not supported for layers`);
  return { mediaType, digest: blob.digest, size: blob.size };
}

/** @throws `invalid_argument` when the content is not what its media type says (CVE-2021-41190's class). */
export function checkLayerType(descriptor: Descriptor, blob: Member, content: ContentStore): void {
  const { mediaType } = descriptor;
  const expected = ownValue(COMPRESSION_OF, mediaType);
  if (expected === undefined) {
    throw malformed('layer', `unsupported media type ${JSON.stringify(descriptor.mediaType)}`);
  }
  const actual = detectCompression(memberHead(blob, content));
  if (actual !== expected) {
    throw malformed('layer', `media type ${JSON.stringify(descriptor.mediaType)} but ${actual} content`);
  }
}
