import { goQuote, runeText } from './quote.ts';
import { isMap, printFloat, printValue, Struct, sortedEntries, typeName, WholeFloat } from './values.ts';

/** What stands between `%` and the verb. */
export interface Directive {
  readonly flags: string;
  readonly isLeft: boolean;
  readonly width: number;
  /** Undefined when not given. */
  readonly precision: number | undefined;
}

type Converter<T> = (value: T, directive: Directive) => string;
type Verbs<T> = Readonly<Record<string, Converter<T>>>;

/** One value as `verb` shows it, or Go's complaint that it does not fit. */
export function convert(verb: string, value: unknown, given: Directive): string {
  // There `+` names the fields of structs, and is no sign.
  const directive = verb === 'v' ? { ...given, flags: given.flags.replaceAll('+', '') } : given;
  if (verb === 'T') return pad(value == null ? '<nil>' : typeName(value), directive);
  if (value == null) return verb === 'v' ? pad('<nil>', directive) : `%!${verb}(<nil>)`;
  if (Array.isArray(value)) return `[${value.map((item) => convert(verb, item, directive)).join(' ')}]`;
  if (isMap(value)) {
    const entries = sortedEntries(value).map(
      ([key, item]) => `${convert(verb, key, directive)}:${convert(verb, item, directive)}`,
    );
    return `map[${entries.join(' ')}]`;
  }
  return scalar(verb, value, directive) ?? `%!${verb}(${typeName(value)}=${printValue(value)})`;
}

function scalar(verb: string, value: unknown, directive: Directive): string | undefined {
  const find = <T>(verbs: Verbs<T>, item: T): string | undefined =>
    Object.hasOwn(verbs, verb) ? verbs[verb]?.(item, directive) : undefined;
  if (typeof value === 'string') return find(TEXT, value);
  if (typeof value === 'bigint') return find(INTEGER, value);
  if (typeof value === 'boolean')
    return verb === 't' || verb === 'v' ? pad(`${value}`, directive) : undefined;
  if (value instanceof WholeFloat) return find(FLOAT, value.value);
  if (value instanceof Struct)
    return verb === 'v' || verb === 's' ? pad(printValue(value), directive) : undefined;
  if (typeof value !== 'number') return undefined;
  const whole = isInt(value) ? find(INTEGER, BigInt(value)) : undefined;
  return whole ?? find(FLOAT, value);
}

/** What is larger has been a float64. */
const isInt = (value: number): boolean => Number.isInteger(value) && Math.abs(value) < 2 ** 63;

/** Blanks, or zeros before what is no number. */
function pad(text: string, { flags, isLeft, width }: Directive): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (isLeft) return text + ' '.repeat(missing);
  return (flags.includes('0') ? '0' : ' ').repeat(missing) + text;
}

const signOf = (isNegative: boolean, flags: string): string =>
  isNegative ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';

const unzeroed = (directive: Directive): Directive => ({
  ...directive,
  flags: directive.flags.replaceAll('0', ''),
});

const PREFIX: Readonly<Record<string, string>> = { b: '0b', o: '0', O: '0o', x: '0x', X: '0X' };
const RADIX: Readonly<Record<string, number>> = { b: 2, o: 8, O: 8, x: 16, X: 16 };

const integer =
  (verb: string): Converter<bigint> =>
  (value, directive) => {
    const { flags, isLeft, width, precision } = directive;
    const sign = signOf(value < 0n, flags);
    const fill = flags.includes('0') && !isLeft ? width - sign.length : 0;
    const digits = (value < 0n ? -value : value).toString(RADIX[verb] ?? 10).padStart(precision ?? fill, '0');
    const prefix = flags.includes('#') || verb === 'O' ? (PREFIX[verb] ?? '') : '';
    return pad(`${sign}${prefix}${verb === 'X' ? digits.toUpperCase() : digits}`, unzeroed(directive));
  };

const codeOf = (value: bigint): number => (value < 0n || value > 0x10ffffn ? -1 : Number(value));

const INTEGER: Verbs<bigint> = {
  ...Object.fromEntries(['v', 'd', 'b', 'o', 'O', 'x', 'X'].map((verb) => [verb, integer(verb)])),
  c: (value, directive) => pad(runeText(codeOf(value)), directive),
  q: (value, directive) =>
    pad(goQuote(runeText(codeOf(value)), "'", directive.flags.includes('+')), directive),
  U: (value, directive) => {
    const code = `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
    const shown = directive.flags.includes('#') ? ` '${runeText(codeOf(value))}'` : '';
    return pad(code + shown, unzeroed(directive));
  },
};

/** Digits behind the point that this runtime knows; all further ones are taken for zeros. */
const MAX_DIGITS = 100;

const inExponent = (text: string): string => text.replace(/e([+-])(\d)$/, 'e$10$2');

function fixed(value: number, precision: number): string {
  const known = Math.min(precision, MAX_DIGITS);
  const isLarge = Math.abs(value) >= 1e21;
  const text = isLarge ? `${BigInt(value)}${known > 0 ? `.${'0'.repeat(known)}` : ''}` : value.toFixed(known);
  return text + '0'.repeat(precision - known);
}

function exponential(value: number, precision: number): string {
  const known = Math.min(precision, MAX_DIGITS);
  const [mantissa, exponent] = value.toExponential(known).split('e');
  return inExponent(`${mantissa}${'0'.repeat(precision - known)}e${exponent}`);
}

/** `%g`: the shorter of both forms. */
function shortest(value: number, precision: number | undefined): string {
  if (precision === undefined) return printFloat(value);
  const digits = Math.min(precision || 1, MAX_DIGITS);
  const exponent = value === 0 ? 0 : Number(value.toExponential(digits - 1).split('e')[1]);
  if (exponent >= -4 && exponent < digits) return String(Number(value.toPrecision(digits)));
  return inExponent(value.toExponential(digits - 1).replace(/\.?0+e/, 'e'));
}

const float =
  (print: (value: number, precision: number | undefined) => string): Converter<number> =>
  (value, directive) => {
    const { flags, isLeft, width, precision } = directive;
    const sign = signOf(value < 0, flags);
    const digits = print(Math.abs(value), precision);
    const fill = flags.includes('0') && !isLeft ? width - sign.length : 0;
    return pad(`${sign}${digits.padStart(fill, '0')}`, unzeroed(directive));
  };

const FLOAT: Verbs<number> = {
  v: float(shortest),
  g: float(shortest),
  G: float((value, precision) => shortest(value, precision).toUpperCase()),
  f: float((value, precision) => fixed(value, precision ?? 6)),
  F: float((value, precision) => fixed(value, precision ?? 6)),
  e: float((value, precision) => exponential(value, precision ?? 6)),
  E: float((value, precision) => exponential(value, precision ?? 6).toUpperCase()),
};

const cut = (text: string, precision: number | undefined): string =>
  precision === undefined ? text : [...text].slice(0, precision).join('');

const hexText =
  (isUpper: boolean): Converter<string> =>
  (value, directive) => {
    const { flags, precision } = directive;
    const bytes = [...Buffer.from(value).subarray(0, precision)].map((byte) =>
      byte.toString(16).padStart(2, '0'),
    );
    const isSpaced = flags.includes(' ');
    const prefix = flags.includes('#') && bytes.length > 0 ? '0x' : '';
    const text = prefix + bytes.join(isSpaced ? ` ${prefix}` : '');
    return pad(isUpper ? text.toUpperCase() : text, directive);
  };

const quoted: Converter<string> = (value, directive) => {
  const { flags, precision } = directive;
  const text = cut(value, precision);
  const isRaw = flags.includes('#') && !/[`\x00-\x08\x0a-\x1f\x7f\ufeff]/.test(text);
  return pad(isRaw ? `\`${text}\`` : goQuote(text, '"', flags.includes('+')), directive);
};

const plain: Converter<string> = (value, directive) => pad(cut(value, directive.precision), directive);

const TEXT: Verbs<string> = {
  v: (value, directive) => (directive.flags.includes('#') ? goQuote(value) : plain(value, directive)),
  s: plain,
  q: quoted,
  x: hexText(false),
  X: hexText(true),
};
