import { ownValue, parseDurationNs } from '#base';
import { cliError } from '../core/errors.ts';
import { parseCsv } from './csv.ts';
import { parseSize } from './size.ts';
import type { FlagSpec, FlagType } from './spec.ts';

/** A flag's value while the command line is read. `set` throws with the reason only; the parser adds the flag's name. */
export interface FlagSlot {
  set(text: string): void;
  get(): unknown;
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  '1': true,
  t: true,
  T: true,
  TRUE: true,
  true: true,
  True: true,
  '0': false,
  f: false,
  F: false,
  FALSE: false,
  false: false,
  False: false,
};

/** `strconv.ParseBool`. */
export function parseBool(text: string): boolean {
  const value = ownValue(BOOLEANS, text);
  if (value === undefined)
    throw cliError(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
  return value;
}

const INT_LIMITS = {
  int: [-(2n ** 63n), 2n ** 63n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint16: [0n, 65535n],
  uint64: [0n, 2n ** 64n - 1n],
} as const;

/** `strconv.ParseInt`/`ParseUint` with base 0: decimal, 0x, 0o, 0b, leading zero. */
export function parseInteger(text: string, kind: keyof typeof INT_LIMITS): number {
  const unsigned = kind.startsWith('u');
  const name = `strconv.${unsigned ? 'ParseUint' : 'ParseInt'}: parsing ${JSON.stringify(text)}`;
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]*|[1-9]\d*)$/.exec(text);
  if (!match?.[2] || (unsigned && match[1] !== '')) throw cliError(`${name}: invalid syntax`);
  const digits = /^0\d+$/.test(match[2]) ? `0o${match[2].slice(1)}` : match[2];
  const value = match[1] === '-' ? -BigInt(digits) : BigInt(digits);
  const [low, high] = INT_LIMITS[kind];
  if (value < low || value > high) throw cliError(`${name}: value out of range`);
  return Number(value);
}

/** `--cpus`: a decimal or a fraction, in billionths of a CPU. */
export function parseNanoCpus(text: string): number {
  const match = /^([+-]?\d*\.?\d*)(?:\/(\d+))?$/.exec(text);
  const value = Number(match?.[1]) / Number(match?.[2] ?? 1);
  if (!match?.[1] || Number.isNaN(value)) throw cliError(`failed to parse ${text} as a rational number`);
  const nano = value * 1e9;
  if (Math.abs(nano - Math.round(nano)) > 1e-3) throw cliError('value is too precise');
  return Math.round(nano);
}

function parseFilter(text: string): readonly [string, string] | undefined {
  if (text === '') return undefined;
  const equals = text.indexOf('=');
  if (equals < 0) throw cliError('bad format of filter (expected name=value)');
  return [text.slice(0, equals).trim().toLowerCase(), text.slice(equals + 1).trim()];
}

const scalar =
  (parse: (text: string) => unknown, zero: unknown) =>
  (spec: FlagSpec): FlagSlot => {
    let value = spec.default === undefined ? zero : parse(spec.default);
    return {
      set: (text) => {
        value = parse(spec.validate ? spec.validate(text) : text);
      },
      get: () => value,
    };
  };

function listSlot(spec: FlagSpec): FlagSlot {
  const values: string[] = [];
  return {
    set: (text) => void values.push(spec.validate ? spec.validate(text) : text),
    get: () => values,
  };
}

function sliceSlot(): FlagSlot {
  const values: string[] = [];
  return { set: (text) => void values.push(...(text === '' ? [] : parseCsv(text))), get: () => values };
}

function mapSlot(spec: FlagSpec): FlagSlot {
  const values: Record<string, string> = {};
  return {
    set: (text) => {
      const checked = spec.validate ? spec.validate(text) : text;
      const equals = checked.indexOf('=');
      values[equals < 0 ? checked : checked.slice(0, equals)] = equals < 0 ? '' : checked.slice(equals + 1);
    },
    get: () => values,
  };
}

function filterSlot(): FlagSlot {
  const values = new Map<string, string[]>();
  return {
    set: (text) => {
      const pair = parseFilter(text);
      if (pair) values.set(pair[0], [...(values.get(pair[0]) ?? []), pair[1]]);
    },
    get: () => Object.fromEntries(values),
  };
}

const SLOTS = {
  bool: scalar(parseBool, false),
  string: scalar((text) => text, ''),
  list: listSlot,
  stringSlice: sliceSlot,
  int: scalar((text) => parseInteger(text, 'int'), 0),
  int64: scalar((text) => parseInteger(text, 'int64'), 0),
  uint16: scalar((text) => parseInteger(text, 'uint16'), 0),
  uint64: scalar((text) => parseInteger(text, 'uint64'), 0),
  bytes: scalar(parseSize, 0),
  memswap: scalar((text) => (text === '-1' ? -1 : parseSize(text)), 0),
  decimal: scalar(parseNanoCpus, 0),
  duration: scalar(parseDurationNs, 0),
  map: mapSlot,
  filter: filterSlot,
} satisfies Record<FlagType, (spec: FlagSpec) => FlagSlot>;

/** A fresh slot holding the flag's default. */
export const createSlot = (spec: FlagSpec): FlagSlot => SLOTS[spec.type](spec);
