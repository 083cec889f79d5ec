import { type Digest, digestOf, type History, type Image, type Reference, tryParseReference } from '#oci';
import type { ContentStore } from '#store';
import { encodeConfig, MAX_CONFIG_BYTES, parseImageConfig } from '../config.ts';
import { malformed } from '../errors.ts';
import {
  isObject,
  isString,
  isStringMap,
  isStrings,
  type JsonObject,
  optionalField,
  parseJson,
} from '../json.ts';
import { detectCompression } from './compression.ts';
import { type ArchivedImage, checkPlatform, requireMember } from './docker-archive.ts';
import { layerDescriptor } from './layer-blob.ts';
import { type Member, memberBytes, memberHead, type Spool } from './spool.ts';

const FILE = 'repositories';
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_ANCESTORS = 1024;
/** What belongs to the old format's chain and not to an image config. */
const CHAIN_FIELDS = ['id', 'parent', 'parent_id', 'layer_id', 'Size', 'throwaway'];

interface LegacyLayer {
  readonly json: JsonObject;
  readonly blob: Member;
}

/**
 * Reads archives of docker before 1.10: `repositories` names layers, each layer is a folder with `json` and
 * `layer.tar` and points to its parent. Undefined when there is no such file.
 * @throws `invalid_argument`.
 */
export async function readLegacyArchive(
  spool: Spool,
  content: ContentStore,
): Promise<ArchivedImage[] | undefined> {
  const file = spool.find(FILE);
  if (file === undefined) return undefined;
  const repositories = parseJson(await memberBytes(file, content, FILE, MAX_BYTES), FILE, MAX_BYTES);
  if (!isObject(repositories)) throw malformed(FILE, 'not an object');
  const names = new Map<string, Reference[]>();
  for (const [repository, tags] of Object.entries(repositories)) {
    if (!isStringMap(tags)) throw malformed(FILE, `bad tags of ${JSON.stringify(repository)}`);
    for (const [tag, layer] of Object.entries(tags)) {
      const reference = tryParseReference(`${repository}:${tag}`);
      if (reference === undefined)
        throw malformed(FILE, `bad name ${JSON.stringify(`${repository}:${tag}`)}`);
      names.set(layer, [...(names.get(layer) ?? []), reference]);
    }
  }
  const images: ArchivedImage[] = [];
  for (const [id, references] of names) {
    images.push(createImage(await readChain(id, spool, content), references, content));
  }
  return images;
}

/** The layer and its ancestors, base first. */
async function readChain(top: string, spool: Spool, content: ContentStore): Promise<LegacyLayer[]> {
  const chain: LegacyLayer[] = [];
  for (let id: string | undefined = top; id !== undefined && id !== ''; ) {
    if (!/^[0-9a-f]{64}$/.test(id)) throw malformed(FILE, `bad layer ID ${JSON.stringify(id.slice(0, 100))}`);
    if (chain.length >= MAX_ANCESTORS) throw malformed(FILE, `more than ${MAX_ANCESTORS} ancestors`);
    const path: string = `${id}/json`;
    const bytes: Uint8Array = await memberBytes(requireMember(spool, path), content, path, MAX_CONFIG_BYTES);
    const json: unknown = parseJson(bytes, path, MAX_CONFIG_BYTES);
    if (!isObject(json)) throw malformed(path, 'not an object');
    chain.push({ json, blob: requireMember(spool, `${id}/layer.tar`) });
    id = optionalField(json, 'parent', isString, path);
  }
  return chain.reverse();
}

function createImage(
  chain: readonly LegacyLayer[],
  references: readonly Reference[],
  content: ContentStore,
): ArchivedImage {
  const top = chain.at(-1)?.json ?? {};
  const fields = Object.entries(top).filter(([name]) => !CHAIN_FIELDS.includes(name));
  const config = parseImageConfig(
    encodeConfig({
      ...(Object.fromEntries(fields) as unknown as Image),
      rootfs: { type: 'layers', diff_ids: chain.map(({ blob }) => diffIdOf(blob, content)) },
      history: chain.map(({ json }) => historyOf(json)),
    }),
  );
  checkPlatform(config);
  const bytes = encodeConfig(config);
  return {
    configBlob: { digest: digestOf(bytes), size: bytes.length, bytes },
    config,
    layers: chain.map(({ blob }) => ({
      blob,
      diffId: blob.digest,
      descriptor: layerDescriptor(blob, content),
    })),
    references,
  };
}

/** The old format never compressed its layers, so the blob's digest is the diffID. */
function diffIdOf(blob: Member, content: ContentStore): Digest {
  if (detectCompression(memberHead(blob, content)) !== 'none')
    throw malformed('layer.tar', 'it is compressed');
  return blob.digest;
}

function historyOf(json: JsonObject): History {
  const what = 'layer json';
  const made = optionalField(json, 'container_config', isObject, what) ?? {};
  const command = optionalField(made, 'Cmd', isStrings, what) ?? [];
  const created = optionalField(json, 'created', isString, what);
  const author = optionalField(json, 'author', isString, what);
  const comment = optionalField(json, 'comment', isString, what);
  return {
    ...(created === undefined ? {} : { created }),
    ...(author === undefined ? {} : { author }),
    created_by: command.join(' '),
    ...(comment === undefined ? {} : { comment }),
  };
}
