import { type Digest, type Image, type ImageConfig, isDigest } from '#oci';
import { malformed, tooManyHistoryLayers } from './errors.ts';
import {
  isArray,
  isBoolean,
  isNumber,
  isObject,
  isObjectMap,
  isString,
  isStringMap,
  isStrings,
  type JsonObject,
  optionalField,
  parseJson,
  requiredField,
} from './json.ts';

/** Limit for image configs, as the content store reads them whole. */
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024;
const WHAT = 'image config';

/**
 * Parses and checks an image config. Fields unknown to us stay in the blob, whose bytes are the image's identity.
 * @throws `invalid_argument`.
 */
export function parseImageConfig(bytes: Uint8Array): Image {
  const document = parseJson(bytes, WHAT, MAX_CONFIG_BYTES);
  if (!isObject(document)) throw malformed(WHAT, 'not an object');
  const rootfs = requiredField(document, 'rootfs', isObject, WHAT);
  const config = optionalField(document, 'config', isObject, WHAT);
  if (config !== undefined) checkContainerConfig(config);
  const history = optionalField(document, 'history', isArray, WHAT);
  const diffIds = parseDiffIds(rootfs);
  checkHistory(history ?? [], diffIds.length);
  checkStrings(document, ['created', 'author', 'variant', 'os.version', 'comment', 'docker_version']);
  const created = document['created'];
  if (isString(created) && Number.isNaN(Date.parse(created))) throw malformed(WHAT, 'bad created');
  return {
    ...(document as unknown as Image),
    architecture: optionalField(document, 'architecture', isString, WHAT) ?? '',
    os: optionalField(document, 'os', isString, WHAT) || 'linux',
    rootfs: { type: 'layers', diff_ids: diffIds },
  };
}

function parseDiffIds(rootfs: JsonObject): Digest[] {
  const ids = optionalField(rootfs, 'diff_ids', isStrings, `${WHAT} rootfs`) ?? [];
  return ids.map((id) => {
    if (!isDigest(id)) throw malformed(`${WHAT} rootfs`, `bad diff ID ${JSON.stringify(id.slice(0, 100))}`);
    return id;
  });
}

function checkHistory(history: readonly unknown[], layers: number): void {
  let filled = 0;
  for (const entry of history) {
    if (!isObject(entry)) throw malformed(WHAT, 'bad history');
    checkStrings(entry, ['created', 'author', 'created_by', 'comment']);
    if (optionalField(entry, 'empty_layer', isBoolean, WHAT) !== true) filled += 1;
  }
  if (filled > layers) throw tooManyHistoryLayers();
}

const CONFIG_CHECKS = {
  User: isString,
  ExposedPorts: isObjectMap,
  Env: isStrings,
  Entrypoint: isStrings,
  Cmd: isStrings,
  Volumes: isObjectMap,
  WorkingDir: isString,
  Labels: isStringMap,
  StopSignal: isString,
  ArgsEscaped: isBoolean,
  Healthcheck: isObject,
  OnBuild: isStrings,
  Shell: isStrings,
} satisfies Record<keyof ImageConfig, (value: unknown) => boolean>;

function checkContainerConfig(config: JsonObject): void {
  for (const [name, check] of Object.entries(CONFIG_CHECKS)) {
    const value = config[name];
    if (value !== undefined && value !== null && !check(value)) throw malformed(WHAT, `bad ${name}`);
  }
  const health = config['Healthcheck'];
  if (!isObject(health)) return;
  optionalField(health, 'Test', isStrings, WHAT);
  for (const name of ['Interval', 'Timeout', 'StartPeriod', 'StartInterval', 'Retries']) {
    optionalField(health, name, isNumber, WHAT);
  }
}

function checkStrings(object: JsonObject, names: readonly string[]): void {
  for (const name of names) optionalField(object, name, isString, WHAT);
}

/** The bytes a config of ours is stored as. */
export const encodeConfig = (config: Image): Uint8Array => Buffer.from(JSON.stringify(config));
