import { invalidArgument, ownValue } from '#base';

type Options = Readonly<Record<string, string>>;

const TRUE = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False']);

/** Go's notation of booleans; undefined when it is none. */
export function tryParseBool(text: string): boolean | undefined {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : undefined;
}

/** An option that is a boolean; undefined when not set or empty. @throws `invalid_argument` with Go's text. */
export function boolOption(options: Options, name: string, prefix = ''): boolean | undefined {
  const text = options[name];
  if (text === undefined || text === '') return undefined;
  const value = tryParseBool(text);
  if (value === undefined) {
    throw invalidArgument(`${prefix}strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return value;
}

/** A whole number as Go's `strconv.Atoi` reads it. @throws `invalid_argument` with its text. */
export function parseInteger(text: string, prefix = ''): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw invalidArgument(`${prefix}strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return Number(text);
}

const DECIMAL_SIZE = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i;
const DECIMAL_FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1e3,
  kb: 1e3,
  m: 1e6,
  mb: 1e6,
  g: 1e9,
  gb: 1e9,
  t: 1e12,
  tb: 1e12,
  p: 1e15,
  pb: 1e15,
};

/**
 * Parses the sizes of log files, whose units are powers of 1000 (`10k` is 10,000 bytes), unlike those of memory.
 * Source: go-units `FromHumanSize`. @throws `invalid_argument`.
 */
export function parseDecimalSize(text: string): number {
  const match = DECIMAL_SIZE.exec(text.trim());
  if (!match) throw invalidArgument(`invalid size: '${text}'`);
  const suffix = (match[2] ?? '').toLowerCase();
  const factor = ownValue(DECIMAL_FACTORS, suffix);
  if (factor === undefined) throw invalidArgument(`invalid suffix: '${suffix}'`);
  return Math.trunc(Number(match[1]) * factor);
}
