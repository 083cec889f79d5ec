import { errnoCode, errorMessage } from '#base';
import { cliError } from './errors.ts';

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

/**
 * Reads `config.json` of each directory. A missing file is empty.
 * @throws for a file that is not a JSON object.
 */
export async function loadConfig(dirs: readonly string[]): Promise<ConfigFile> {
  const files = await Promise.all(dirs.map(readOne));
  return Object.assign({}, ...files.reverse()) as ConfigFile;
}

async function readOne(dir: string): Promise<ConfigFile> {
  const path = `${dir}/config.json`;
  try {
    const parsed: unknown = JSON.parse(await Bun.file(path).text());
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as ConfigFile;
    throw cliError(`parsing config file (${path}): not a JSON object`);
  } catch (error) {
    const errno = errnoCode(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'EACCES') return {};
    if (error instanceof SyntaxError) throw cliError(`parsing config file (${path}): ${errorMessage(error)}`);
    throw error;
  }
}
