import { isMap, printNumber, printValue, Struct, typeName } from './values.ts';

const VERB = /%([-+# 0]*)(\*|\d+)?(?:\.(\*|\d+)?)?([a-zA-Z%])|%(.?)/g;

interface Directive {
  readonly flags: string;
  readonly width: number;
  /** Undefined when not given. */
  readonly precision: number | undefined;
}

/** `fmt.Sprintf` for the values that templates have. Mistakes show as Go shows them: `%!d(string=x)`. */
export function sprintf(format: string, args: readonly unknown[]): string {
  const queue = [...args];
  const text = format.replaceAll(VERB, (whole, flags, width, precision, verb) => {
    if (verb === undefined) return whole === '%' ? '%!(NOVERB)' : `%!${whole.slice(1)}(NOVERB)`;
    if (verb === '%') return '%';
    const hasPoint = /\.(\*|\d+)?[a-zA-Z]$/.test(whole);
    const directive = {
      flags,
      width: measure(width, queue),
      precision: hasPoint ? measure(precision, queue) : undefined,
    };
    if (queue.length === 0) return `%!${verb}(MISSING)`;
    return pad(convert(verb, queue.shift(), directive), directive);
  });
  if (queue.length === 0) return text;
  const extra = queue.map((value) => (value == null ? '<nil>' : `${typeName(value)}=${printValue(value)}`));
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

/** A width or precision: digits, or `*` for the next argument. */
function measure(text: string | undefined, queue: unknown[]): number {
  if (text !== '*') return Number(text ?? 0);
  const value = queue.shift();
  return typeof value === 'number' ? value : 0;
}

function pad(text: string, { flags, width }: Directive): string {
  const missing = width - [...text].length;
  if (missing <= 0) return text;
  if (flags.includes('-')) return text + ' '.repeat(missing);
  if (flags.includes('0') && /^[+-]?[\d.]/.test(text)) {
    const sign = /^[+-]/.exec(text)?.[0] ?? '';
    return `${sign}${'0'.repeat(missing)}${text.slice(sign.length)}`;
  }
  return ' '.repeat(missing) + text;
}

type Converter = (value: unknown, directive: Directive) => string | undefined;

const signed = (text: string, { flags }: Directive): string =>
  text.startsWith('-') ? text : flags.includes('+') ? `+${text}` : flags.includes(' ') ? ` ${text}` : text;

const integer =
  (radix: number): Converter =>
  (value, directive) => {
    if (typeof value !== 'number' || !Number.isInteger(value)) return undefined;
    return signed(
      BigInt(value)
        .toString(radix)
        .padStart(directive.precision ?? 0, '0'),
      directive,
    );
  };

const float =
  (print: (value: number, precision: number | undefined) => string): Converter =>
  (value, directive) =>
    typeof value === 'number' ? signed(print(value, directive.precision), directive) : undefined;

const cut = (text: string, precision: number | undefined): string =>
  precision === undefined ? text : [...text].slice(0, precision).join('');

const isStringish = (value: unknown): boolean =>
  typeof value === 'string' || Array.isArray(value) || isMap(value) || value instanceof Struct;

const hex =
  (upper: boolean): Converter =>
  (value, directive) => {
    const text =
      typeof value === 'string' ? Buffer.from(value).toString('hex') : integer(16)(value, directive);
    return upper ? text?.toUpperCase() : text;
  };

const CONVERTERS: Readonly<Record<string, Converter>> = {
  v: (value) => printValue(value ?? null),
  s: (value, { precision }) => (isStringish(value) ? cut(printValue(value), precision) : undefined),
  q: (value) => {
    if (typeof value === 'number') return `'${String.fromCodePoint(value)}'`;
    if (Array.isArray(value)) return `[${value.map((item) => JSON.stringify(item)).join(' ')}]`;
    return typeof value === 'string' ? JSON.stringify(value) : undefined;
  },
  t: (value) => (typeof value === 'boolean' ? String(value) : undefined),
  T: (value) => typeName(value),
  d: integer(10),
  b: integer(2),
  o: integer(8),
  x: hex(false),
  X: hex(true),
  U: (value) =>
    typeof value === 'number' ? `U+${value.toString(16).toUpperCase().padStart(4, '0')}` : undefined,
  c: (value) => (typeof value === 'number' ? String.fromCodePoint(value) : undefined),
  f: float((value, precision) => value.toFixed(precision ?? 6)),
  F: float((value, precision) => value.toFixed(precision ?? 6)),
  e: float((value, precision) => value.toExponential(precision ?? 6).replace(/e([+-])(\d)$/, 'e$10$2')),
  g: float((value, precision) =>
    precision === undefined ? printNumber(value) : String(Number(value.toPrecision(precision || 1))),
  ),
};

function convert(verb: string, value: unknown, directive: Directive): string {
  const text = CONVERTERS[verb]?.(value, directive);
  if (text !== undefined) return text;
  return value == null ? `%!${verb}(<nil>)` : `%!${verb}(${typeName(value)}=${printValue(value)})`;
}
