export { chainIds, type Digest, digestHex, digestOf, isDigest, parseDigest } from './digest.ts';
export {
  type IdMappings,
  isIdMappings,
  mappedRoot,
  OVERFLOW_ID,
  toContainerId,
  toHostId,
  unmappedCapability,
} from './id-mapping.ts';
export type * from './image-spec.ts';
export { MEDIA_TYPE, type MediaType } from './media-types.ts';
export { formatPlatform, hostPlatform, parsePlatform } from './platform.ts';
export {
  DEFAULT_DOMAIN,
  DEFAULT_TAG,
  familiarName,
  familiarReference,
  formatReference,
  parseReference,
  type Reference,
  repositoryName,
  tryParseReference,
  withDefaultTag,
} from './reference.ts';
export type * from './runtime-spec.ts';
