import { type Descriptor, type Digest, type Image, type Reference, tryParseReference } from '#oci';
import type { ContentStore } from '#store';
import { MAX_CONFIG_BYTES, parseImageConfig } from '../config.ts';
import {
  invalidTag,
  layerCountMismatch,
  malformed,
  missingArchiveMember,
  nullManifest,
  unsupportedOs,
} from '../errors.ts';
import { isArray, isObject, isString, isStrings, optionalField, parseJson } from '../json.ts';
import { layerDescriptor } from './layer-blob.ts';
import { type Member, memberBytes, type Spool } from './spool.ts';

/** An image of an archive, all of it found and its documents checked, before anything of it is stored. */
export interface ArchivedImage {
  /** The blob whose digest is the image's ID. */
  readonly configBlob: Member;
  readonly config: Image;
  /** Base first, with the diffIDs of the config. */
  readonly layers: readonly ArchivedLayer[];
  readonly references: readonly Reference[];
  /** Manifest it came with; its blob is kept as well. */
  readonly manifest?: { readonly descriptor: Descriptor; readonly blob: Member };
  /** ID of the parent, where the archive names it. */
  readonly parent?: Digest;
}

export interface ArchivedLayer {
  readonly diffId: Digest;
  readonly descriptor: Descriptor;
  readonly blob: Member;
}

/** Limit for manifest.json: room for thousands of images. */
const MAX_BYTES = 8 * 1024 * 1024;
const WHAT = 'manifest.json';
const MAX_IMAGES = 4096;

/**
 * Reads the images that `manifest.json` lists (docker ≥ 1.10). Undefined when the archive has no such file or
 * lists nothing in it.
 * @throws `invalid_argument`, with docker's texts where it has one.
 */
export async function readDockerArchive(
  spool: Spool,
  content: ContentStore,
): Promise<ArchivedImage[] | undefined> {
  const file = spool.find(WHAT);
  if (file === undefined) return undefined;
  const list = parseJson(await memberBytes(file, content, WHAT, MAX_BYTES), WHAT, MAX_BYTES);
  if (list === null) throw nullManifest();
  if (!isArray(list)) throw malformed(WHAT, 'not a list');
  if (list.length > MAX_IMAGES) throw malformed(WHAT, `more than ${MAX_IMAGES} images`);
  if (list.length === 0) return undefined;
  const images: ArchivedImage[] = [];
  for (const item of list) images.push(await readImage(item, spool, content));
  return images;
}

async function readImage(item: unknown, spool: Spool, content: ContentStore): Promise<ArchivedImage> {
  if (!isObject(item)) throw malformed(WHAT, 'not an object');
  const path = optionalField(item, 'Config', isString, WHAT) ?? '';
  const layers = optionalField(item, 'Layers', isStrings, WHAT) ?? [];
  const tags = optionalField(item, 'RepoTags', isStrings, WHAT) ?? [];
  const parent = optionalField(item, 'Parent', isString, WHAT);
  const configBlob = requireMember(spool, path);
  const config = parseImageConfig(await memberBytes(configBlob, content, path, MAX_CONFIG_BYTES));
  checkPlatform(config);
  return {
    configBlob,
    config,
    layers: pairLayers(config, layers, spool, content),
    references: tags.map(parseTag),
    ...(parent === undefined || parent === '' ? {} : { parent: parent as Digest }),
  };
}

/** @throws `invalid_argument` for what cannot run on Linux. */
export function checkPlatform({ os }: Image): void {
  if (os !== 'linux') throw unsupportedOs(os);
}

function pairLayers(
  config: Image,
  paths: readonly string[],
  spool: Spool,
  content: ContentStore,
): ArchivedLayer[] {
  const diffIds = config.rootfs.diff_ids;
  if (paths.length !== diffIds.length) throw layerCountMismatch(paths.length, diffIds.length);
  return diffIds.map((diffId, index) => {
    const blob = requireMember(spool, paths[index] ?? '');
    return { diffId, blob, descriptor: layerDescriptor(blob, content) };
  });
}

/** @throws `invalid_argument` when the archive lacks it. */
export function requireMember(spool: Spool, path: string): Member {
  const member = spool.find(path);
  if (member === undefined) throw missingArchiveMember(path);
  return member;
}

function parseTag(text: string): Reference {
  const reference = tryParseReference(text);
  if (reference?.tag === undefined || reference.digest !== undefined) throw invalidTag(text);
  return reference;
}
