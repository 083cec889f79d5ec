import { type GantryError, parseExactJson } from '#base';
import { contentAfterJson, invalidJson, jsonEof } from '../errors.ts';
import { describeJsonError, isTooDeep } from './syntax.ts';

/**
 * Decoders that read parsed JSON the way Go's encoding/json fills a struct, because that is what every client of the
 * Engine API has been tested against: unknown fields are ignored, field names match without regard to case, `null` is
 * "not set", and a value of the wrong type is refused with Go's text
 * (`json: cannot unmarshal string into Go struct field HostConfig.HostConfig.Memory of type int64`).
 */
export interface Decoder<T> {
  /** Go's name of the type, for error texts. */
  readonly goType: string;
  decode(value: unknown, where: Where): T;
  /** What a struct consists of, for the reference pages. */
  readonly struct?: { readonly name: string; readonly fields: Readonly<Record<string, Decoder<unknown>>> };
  /** What a list or map holds. */
  readonly item?: Decoder<unknown>;
}

/** Where a value stands: innermost struct and the path of JSON names to it. */
export interface Where {
  readonly struct: string | undefined;
  readonly path: readonly string[];
}

export const ROOT: Where = { struct: undefined, path: [] };

function mismatch(found: string, goType: string, { struct, path }: Where): never {
  const target =
    struct === undefined
      ? `Go value of type ${goType}`
      : `Go struct field ${struct}.${path.join('.')} of type ${goType}`;
  throw invalidJson(`json: cannot unmarshal ${found} into ${target}`);
}

function kindOf(value: unknown): string {
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'bigint' ? 'number' : typeof value;
}

export const string: Decoder<string> = {
  goType: 'string',
  decode: (value, where) => (typeof value === 'string' ? value : mismatch(kindOf(value), 'string', where)),
};

/** A string with a Go type of its own, named in error texts. */
export const namedString = (goType: string): Decoder<string> => ({
  goType,
  decode: (value, where) => (typeof value === 'string' ? value : mismatch(kindOf(value), goType, where)),
});

export const boolean: Decoder<boolean> = {
  goType: 'bool',
  decode: (value, where) => (typeof value === 'boolean' ? value : mismatch(kindOf(value), 'bool', where)),
};

/** The range is exact, as Go has it; what lies between the numbers that JavaScript has is rounded towards zero. */
function integer(goType: string, min: bigint, max: bigint): Decoder<number> {
  return {
    goType,
    decode(value, where) {
      if (typeof value !== 'number' && typeof value !== 'bigint')
        return mismatch(kindOf(value), goType, where);
      if (!isInteger(value) || value < min || value > max) return mismatch(`number ${value}`, goType, where);
      return typeof value === 'number' ? value : towardsZero(value);
    },
  };
}

const isInteger = (value: number | bigint): boolean => typeof value === 'bigint' || Number.isInteger(value);

/** Below it a number is written in JSON with digits that are beyond an int64. */
const LEAST = -(2 ** 63 - 1024);

/** The nearest number that is not larger: written as JSON it is still in the range of a 64-bit type. */
function towardsZero(exact: bigint): number {
  const bits = BigInt((exact < 0n ? -exact : exact).toString(2).length - 53);
  return bits <= 0n ? Number(exact) : Math.max(LEAST, Number((exact / 2n ** bits) * 2n ** bits));
}

const INT64 = [-(2n ** 63n), 2n ** 63n - 1n] as const;
const UINT64 = [0n, 2n ** 64n - 1n] as const;
export const int = integer('int', ...INT64);
export const int64 = integer('int64', ...INT64);
export const uint64 = integer('uint64', ...UINT64);
export const uint32 = integer('uint32', 0n, 2n ** 32n - 1n);
export const uint16 = integer('uint16', 0n, 65535n);
export const uint = integer('uint', ...UINT64);

/** A Go slice. Null elements are left out: no list of the API has a use for a zero value. */
export function list<T>(item: Decoder<T>, goType = `[]${item.goType}`): Decoder<readonly T[]> {
  return {
    goType,
    item,
    decode(value, where) {
      if (!Array.isArray(value)) return mismatch(kindOf(value), goType, where);
      return value.filter((element) => element !== null).map((element) => item.decode(element, where));
    },
  };
}

/** docker's StrSlice: a list of strings, or one string standing for a list of one. */
export const stringOrList: Decoder<readonly string[]> = {
  goType: '[]string',
  decode(value, where) {
    if (Array.isArray(value)) return value.map((item) => string.decode(item ?? '', where));
    return [string.decode(value, where)];
  },
};

/** A Go map; null values stay null. */
export function map<T>(item: Decoder<T>): Decoder<Readonly<Record<string, T>>> {
  const goType = `map[string]${item.goType}`;
  return {
    goType,
    item,
    decode(value, where) {
      if (!isObject(value)) return mismatch(kindOf(value), goType, where);
      return Object.fromEntries(
        Object.entries(value)
          .filter(([, element]) => element !== null)
          .map(([key, element]) => [key, item.decode(element, where)]),
      );
    },
  };
}

/** As {@link map}, keeping null values. */
export function nullableMap<T>(item: Decoder<T>): Decoder<Readonly<Record<string, T | null>>> {
  const goType = `map[string]${item.goType}`;
  return {
    goType,
    item,
    decode(value, where) {
      if (!isObject(value)) return mismatch(kindOf(value), goType, where);
      return Object.fromEntries(
        Object.entries(value).map(([key, element]) => [
          key,
          element === null ? null : item.decode(element, where),
        ]),
      );
    },
  };
}

/** A Go set, `map[string]struct{}`: the keys count. */
export const set: Decoder<Readonly<Record<string, Readonly<Record<string, never>>>>> = {
  goType: 'map[string]struct {}',
  decode(value, where) {
    if (!isObject(value)) return mismatch(kindOf(value), set.goType, where);
    for (const element of Object.values(value)) {
      if (element !== null && !isObject(element)) return mismatch(kindOf(element), 'struct {}', where);
    }
    return Object.fromEntries(Object.keys(value).map((key) => [key, {}]));
  },
};

export interface StructOptions {
  /** Go's name with package, for a body of the wrong type. Default: the name. */
  readonly goType?: string;
}

/** What a struct decodes to: every field may be missing. */
export type Fields<T> = { readonly [K in keyof T]?: Decoder<NonNullable<T[K]>> };

/** A Go struct: known fields by name, whatever the case; unknown ones and nulls are left out. */
export function struct<T extends object>(
  name: string,
  fields: Fields<T>,
  options: StructOptions = {},
): Decoder<T> {
  const goType = options.goType ?? name;
  const byName = new Map<string, readonly [string, Decoder<unknown>]>();
  for (const [key, decoder] of Object.entries(fields)) {
    byName.set(key.toLowerCase(), [key, decoder as Decoder<unknown>]);
  }
  return {
    goType,
    struct: { name, fields: fields as Readonly<Record<string, Decoder<unknown>>> },
    decode(value, where) {
      if (!isObject(value)) return mismatch(kindOf(value), goType, where);
      const result: Record<string, unknown> = {};
      for (const [key, element] of Object.entries(value)) {
        const field = byName.get(key.toLowerCase());
        if (!field || element === null) continue;
        result[field[0]] = field[1].decode(element, { struct: name, path: [...where.path, field[0]] });
      }
      return result as T;
    },
  };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Parses and decodes a request body. `null` decodes like `{}`.
 * @throws `invalid_argument` with docker's texts: empty text, malformed JSON, text after the JSON, wrong types.
 */
export function decodeJson<T>(decoder: Decoder<T>, text: string): T {
  if (/^[ \t\r\n]*$/.test(text)) throw jsonEof();
  if (isTooDeep(text)) throw syntaxError(text);
  let value: unknown;
  try {
    value = parseExactJson(text);
  } catch {
    throw syntaxError(text);
  }
  return decoder.decode(value ?? {}, ROOT);
}

function syntaxError(text: string): GantryError {
  const reason = describeJsonError(text);
  return reason.endsWith('after top-level value') ? contentAfterJson() : invalidJson(reason);
}
