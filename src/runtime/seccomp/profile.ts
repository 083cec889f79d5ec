import { invalidArgument, parseExactJson } from '#base';

/** A seccomp profile in docker's JSON format. Source: "Seccomp security profiles for Docker". */
export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  /** libseccomp's names; either this or `archMap`. */
  readonly architectures?: readonly string[];
  readonly archMap?: readonly {
    readonly architecture: string;
    readonly subArchitectures?: readonly string[] | null;
  }[];
  readonly flags?: readonly string[];
  readonly syscalls: readonly ProfileRule[];
}

export interface ProfileRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly ProfileArgument[];
  readonly includes?: RuleFilter;
  readonly excludes?: RuleFilter;
}

export interface ProfileArgument {
  readonly index: number;
  /** Unsigned, 64 bits. */
  readonly value: number | bigint;
  readonly valueTwo?: number | bigint;
  readonly op: string;
}

/** When a rule applies. `arches` are Go's names (`amd64`), `minKernel` is `major.minor`. */
export interface RuleFilter {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  readonly minKernel?: string;
}

type Json = Readonly<Record<string, unknown>>;

const DECODING = 'Decoding seccomp profile failed';
const bad = (why: string) => invalidArgument(`${DECODING}: ${why}`);

/**
 * Reads a profile from its JSON text, the older form with `name` instead of `names` included.
 * Undefined when it holds neither a default action nor rules, which means "no filter".
 * @throws `invalid_argument`.
 */
export function parseProfile(text: string): SeccompProfile | undefined {
  const json = object(parseJson(text), 'profile');
  const rules = list(json['syscalls'], 'syscalls').map(parseRule);
  const defaultAction = optionalText(json['defaultAction'], 'defaultAction') ?? '';
  if (defaultAction === '' && rules.length === 0) return undefined;
  const architectures = texts(json['architectures'], 'architectures');
  const archMap = list(json['archMap'], 'archMap').map((entry) =>
    parseArchitecture(object(entry, 'archMap')),
  );
  if (architectures.length > 0 && archMap.length > 0)
    throw invalidArgument(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  return {
    defaultAction,
    ...optionalNumber(json, 'defaultErrnoRet'),
    ...(architectures.length > 0 ? { architectures } : {}),
    ...(archMap.length > 0 ? { archMap } : {}),
    ...(json['flags'] ? { flags: texts(json['flags'], 'flags') } : {}),
    syscalls: rules,
  };
}

function parseJson(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch (error) {
    throw invalidArgument(`${DECODING}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

function parseArchitecture(json: Json) {
  return {
    architecture: optionalText(json['architecture'], 'architecture') ?? '',
    subArchitectures: texts(json['subArchitectures'], 'subArchitectures'),
  };
}

function parseRule(value: unknown): ProfileRule {
  const json = object(value, 'syscalls');
  const name = optionalText(json['name'], 'name');
  const names = texts(json['names'], 'names');
  if (name && names.length > 0)
    throw invalidArgument(
      "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'",
    );
  const args = list(json['args'], 'args').map((entry) => parseArgument(object(entry, 'args')));
  return {
    names: name ? [name] : names,
    action: optionalText(json['action'], 'action') ?? '',
    ...optionalNumber(json, 'errnoRet'),
    ...(args.length > 0 ? { args } : {}),
    ...parseFilter(json, 'includes'),
    ...parseFilter(json, 'excludes'),
  };
}

function parseFilter(json: Json, key: 'includes' | 'excludes'): { [K in typeof key]?: RuleFilter } {
  const value = json[key];
  if (value === undefined || value === null) return {};
  const filter = object(value, key);
  const minKernel = optionalText(filter['minKernel'], 'minKernel');
  return {
    [key]: {
      caps: texts(filter['caps'], 'caps'),
      arches: texts(filter['arches'], 'arches'),
      ...(minKernel ? { minKernel } : {}),
    },
  };
}

function parseArgument(json: Json): ProfileArgument {
  return {
    index: number(json['index'], 'index'),
    value: word(json['value'], 'value'),
    valueTwo: word(json['valueTwo'] ?? 0, 'valueTwo'),
    op: optionalText(json['op'], 'op') ?? '',
  };
}

function object(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw bad(`"${what}" is not an object`);
  return value as Json;
}

function list(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw bad(`"${what}" is not a list`);
  return value;
}

const texts = (value: unknown, what: string): string[] =>
  list(value, what).map((item) => optionalText(item, what) ?? '');

function optionalText(value: unknown, what: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw bad(`"${what}" is not a string`);
  return value;
}

function number(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    throw bad(`"${what}" is not a non-negative integer`);
  return value;
}

function optionalNumber<K extends string>(json: Json, key: K): { [P in K]?: number } {
  const value = json[key];
  if (value === undefined || value === null) return {};
  return { [key]: number(value, key) } as { [P in K]?: number };
}

const LARGEST_WORD = 2n ** 64n - 1n;

function word(value: unknown, what: string): number | bigint {
  if (typeof value !== 'bigint') return number(value, what);
  if (value < 0n || value > LARGEST_WORD) throw bad(`"${what}" does not fit into 64 bits`);
  return value;
}
