import { existsSync, readFileSync } from 'node:fs';
import { errorMessage, invalidArgument } from '#base';
import { configKey, daemonOption, OPTION_NAMES, type OptionName } from './options.ts';
import { type OptionValue, readConfigValue, readFlag } from './values.ts';

export const DEFAULT_CONFIG_FILE = '/etc/gantry/daemon.json';

/** Options that were given, by flag name; everything else has its default. */
export type GivenOptions = Readonly<Partial<Record<OptionName, OptionValue>>>;

/** Flags as the parser leaves them: every text given for each flag, in order. */
export type FlagTexts = Readonly<Record<string, readonly string[]>>;

export interface LoadedConfig {
  readonly given: GivenOptions;
  /** Given options that have no effect in this version. */
  readonly inert: readonly OptionName[];
  readonly configFile: string;
}

/**
 * Joins flags and daemon.json. A missing file is fine unless it was named by `--config-file`.
 * @throws `invalid_argument` with dockerd's texts: broken JSON, unknown directives, an option given in both places,
 * or an option that may not be ignored silently.
 */
export function loadConfig(flags: FlagTexts): LoadedConfig {
  const fromFlags = readFlags(flags);
  const configFile = String(fromFlags['config-file'] ?? DEFAULT_CONFIG_FILE);
  const fromFile = readConfigFile(configFile, fromFlags['config-file'] !== undefined);
  refuseConflicts(fromFlags, fromFile, configFile);
  const given = { ...fromFile, ...fromFlags };
  refuseUnsupported(given);
  return {
    given,
    configFile,
    inert: OPTION_NAMES.filter((name) => given[name] !== undefined && daemonOption(name).inert),
  };
}

function readFlags(flags: FlagTexts): GivenOptions {
  const given: Partial<Record<OptionName, OptionValue>> = {};
  for (const name of OPTION_NAMES) {
    const texts = flags[name];
    if (texts !== undefined && texts.length > 0) given[name] = readFlag(name, daemonOption(name).kind, texts);
  }
  return given;
}

function readConfigFile(path: string, required: boolean): GivenOptions {
  if (!existsSync(path)) {
    if (!required) return {};
    throw fileError(path, `open ${path}: no such file or directory`);
  }
  const text = readFileSync(path, 'utf8');
  if (text.trim() === '') return {};
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw fileError(path, errorMessage(cause));
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw fileError(path, 'not a JSON object');
  return readDirectives(path, parsed as Record<string, unknown>);
}

function readDirectives(path: string, directives: Readonly<Record<string, unknown>>): GivenOptions {
  const byKey = new Map(OPTION_NAMES.map((name) => [configKey(name), name]));
  const unknown = Object.keys(directives).filter((key) => !byKey.has(key));
  if (unknown.length > 0) {
    throw fileError(
      path,
      `the following directives don't match any configuration option: ${unknown.join(', ')}`,
    );
  }
  const given: Partial<Record<OptionName, OptionValue>> = {};
  for (const [key, value] of Object.entries(directives)) {
    const name = byKey.get(key);
    if (name === undefined || value === null) continue;
    given[name] = readConfigValue(key, daemonOption(name).kind, value);
  }
  return given;
}

function refuseConflicts(fromFlags: GivenOptions, fromFile: GivenOptions, path: string): void {
  const both = OPTION_NAMES.filter(
    (name) => fromFlags[name] !== undefined && fromFile[name] !== undefined,
  ).map(
    (name) => `${configKey(name)}: (from flag: ${show(fromFlags[name])}, from file: ${show(fromFile[name])})`,
  );
  if (both.length === 0) return;
  throw fileError(
    path,
    `the following directives are specified both as a flag and in the configuration file: ${both.join(', ')}`,
  );
}

function show(value: OptionValue | undefined): string {
  if (Array.isArray(value)) return `[${value.join(' ')}]`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function refuseUnsupported(given: GivenOptions): void {
  const name = OPTION_NAMES.find((candidate) => daemonOption(candidate).refused && isSet(given[candidate]));
  if (name === undefined) return;
  throw invalidArgument(`--${name} is not supported by this version of gantry; ignoring it would be unsafe`);
}

const isSet = (value: OptionValue | undefined): boolean =>
  value !== undefined && value !== false && value !== '' && !(Array.isArray(value) && value.length === 0);

const fileError = (path: string, reason: string) =>
  invalidArgument(`unable to configure the gantry daemon with file ${path}: ${reason}`);
