import { errnoCode, errorMessage } from '#base';

/** The part of `config.json` that commands look at. Source: docker's client configuration. */
export interface ConfigFile {
  readonly detachKeys?: string;
  readonly psFormat?: string;
  readonly imagesFormat?: string;
  readonly networksFormat?: string;
  readonly volumesFormat?: string;
  readonly statsFormat?: string;
  readonly currentContext?: string;
  /** Headers added to every request. */
  readonly HttpHeaders?: Readonly<Record<string, string>>;
  readonly auths?: Readonly<Record<string, unknown>>;
  readonly proxies?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Directories in order of precedence: a key of an earlier one hides a later one's. */
export function configDirs(options: {
  readonly configDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}): readonly string[] {
  const { configDir, env } = options;
  if (configDir !== '') return [configDir];
  const home = env['HOME'] ?? '/root';
  const gantry = env['GANTRY_CONFIG'] ?? `${home}/.gantry`;
  return [gantry, env['DOCKER_CONFIG'] ?? `${home}/.docker`];
}

/** Takes one line for the user, without its end. */
export type Warn = (text: string) => Promise<void>;

/**
 * Reads `config.json` of each directory. A missing file is empty. What cannot be read, and keys with a value of another
 * type, are warned of in docker's words and left out: no configuration keeps a command from its work.
 */
export async function loadConfig(dirs: readonly string[], warn: Warn): Promise<ConfigFile> {
  const files = await Promise.all(dirs.map((dir) => readOne(`${dir}/config.json`, warn)));
  return Object.assign({}, ...files.reverse()) as ConfigFile;
}

async function readOne(path: string, warn: Warn): Promise<ConfigFile> {
  let text: string;
  try {
    text = await Bun.file(path).text();
  } catch (error) {
    const errno = errnoCode(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return {};
    await warn(`WARNING: Error loading config file: ${unreadable(path, errno, error)}`);
    return {};
  }
  const broken = (why: string) => warn(`WARNING: Error parsing config file (${path}): ${why}`);
  if (text.trim() === '') return {};
  try {
    return await checked(JSON.parse(text), broken);
  } catch (error) {
    await broken(errorMessage(error));
    return {};
  }
}

function unreadable(path: string, errno: string | undefined, error: unknown): string {
  if (errno === 'EACCES') return `open ${path}: permission denied`;
  return errno === 'EISDIR' ? `read ${path}: is a directory` : `open ${path}: ${errorMessage(error)}`;
}

type Value = (value: unknown) => boolean;

const isString: Value = (value) => typeof value === 'string';
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const mapOf =
  (item: Value): Value =>
  (value) =>
    isObject(value) && Object.values(value).every(item);

/** What each key has to hold. */
const KEYS: Readonly<Record<keyof ConfigFile, Value>> = {
  detachKeys: isString,
  psFormat: isString,
  imagesFormat: isString,
  networksFormat: isString,
  volumesFormat: isString,
  statsFormat: isString,
  currentContext: isString,
  HttpHeaders: mapOf(isString),
  auths: isObject,
  proxies: mapOf(mapOf(isString)),
};

/** The keys that hold what they should; `broken` is told of the others. Null is as good as nothing. */
async function checked(parsed: unknown, broken: Warn): Promise<ConfigFile> {
  if (parsed === null) return {};
  if (!isObject(parsed)) {
    await broken('not a JSON object');
    return {};
  }
  const present = Object.entries(parsed).filter(([, value]) => value !== null);
  const fits = ([key, value]: [string, unknown]) =>
    !Object.hasOwn(KEYS, key) || KEYS[key as keyof ConfigFile](value);
  for (const entry of present) if (!fits(entry)) await broken(`${entry[0]} has a value of the wrong type`);
  return Object.fromEntries(present.filter(fits));
}
