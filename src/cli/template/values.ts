import { formatDurationNs } from '#base';

/**
 * Values as templates see them. Plain objects are maps, arrays are slices, `undefined` is "no value" and `null` is nil.
 * A {@link Struct} has a fixed set of fields, some computed, and complains about others.
 */
export class Struct {
  /** Go's name of the type, for error messages. */
  readonly typeName: string;
  /** Values, or functions that compute them. A function with parameters is a method. */
  readonly fields: Readonly<Record<string, unknown>>;

  /** Whether JSON keeps the order of the fields (a Go struct) instead of sorting them (a Go map). */
  readonly keepsOrder: boolean;

  /** Whether JSON escapes HTML, as Go does unless told otherwise. Default: where the order is not kept. */
  readonly escapesHtml: boolean;

  constructor(
    typeName: string,
    fields: Readonly<Record<string, unknown>>,
    options: { keepsOrder?: boolean; escapesHtml?: boolean } = {},
  ) {
    this.typeName = typeName;
    this.fields = fields;
    this.keepsOrder = options.keepsOrder ?? false;
    this.escapesHtml = options.escapesHtml ?? !this.keepsOrder;
  }

  /** How it prints where it has a form of its own. */
  text(): string | undefined {
    return undefined;
  }

  /** What JSON shows of it. */
  toJSON(): unknown {
    return this.toPrint();
  }

  /** All fields without parameters, evaluated. */
  toPrint(): Record<string, unknown> {
    const entries = Object.entries(this.fields)
      .filter(([, value]) => typeof value !== 'function' || value.length === 0)
      .map(
        ([name, value]) => [name, typeof value === 'function' ? (value as () => unknown)() : value] as const,
      );
    return Object.fromEntries(this.keepsOrder ? entries : entries.sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/** A time.Duration: nanoseconds as JSON, `1h0m0s` in print. */
export class GoDuration extends Struct {
  readonly #ns: number;

  constructor(ns: number) {
    super('time.Duration', {
      Nanoseconds: () => ns,
      Milliseconds: () => Math.trunc(ns / 1e6),
      Seconds: () => goFloat(ns / 1e9),
      Minutes: () => goFloat(ns / 60e9),
      Hours: () => goFloat(ns / 3600e9),
      String: () => formatDurationNs(ns),
    });
    this.#ns = ns;
  }

  override text(): string {
    return formatDurationNs(this.#ns);
  }

  override toJSON(): unknown {
    return this.#ns;
  }
}

/** A float64 without a fraction. One with a fraction is a plain number; a plain number without one is an int. */
export class WholeFloat extends Struct {
  readonly value: number;

  constructor(value: number) {
    super('float64', {});
    this.value = value;
  }

  override text(): string {
    return printFloat(this.value);
  }

  override toJSON(): unknown {
    return this.value;
  }
}

/** A float64, whatever its value. */
export const goFloat = (value: number): number | WholeFloat =>
  Number.isInteger(value) ? new WholeFloat(value) : value;

export type PlainMap = Readonly<Record<string, unknown>>;

export const isMap = (value: unknown): value is PlainMap =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Struct);

/** Go's idea of true. */
export function isTruthy(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0;
  if (isMap(value)) return Object.keys(value).length > 0;
  if (value instanceof WholeFloat) return value.value !== 0;
  return Boolean(value);
}

/** A type's name in error messages. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'nil';
  if (value instanceof Struct) return value.typeName;
  if (Array.isArray(value))
    return value.every((item) => typeof item === 'string') ? '[]string' : '[]interface {}';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  return 'map[string]interface {}';
}

export const sortedEntries = (map: PlainMap): [string, unknown][] =>
  Object.entries(map).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));

/** `fmt.Sprint` of one value. */
export function printValue(value: unknown): string {
  if (value === undefined) return '<no value>';
  if (value === null) return '<nil>';
  if (Array.isArray(value)) return `[${value.map(printNested).join(' ')}]`;
  if (value instanceof Struct)
    return value.text() ?? `{${Object.values(value.toPrint()).map(printNested).join(' ')}}`;
  if (isMap(value))
    return `map[${sortedEntries(value)
      .map(([key, item]) => `${key}:${printNested(item)}`)
      .join(' ')}]`;
  return typeof value === 'number' ? printNumber(value) : String(value);
}

const printNested = (value: unknown): string => printValue(value ?? null);

/** Integers in full, other numbers as floats. */
const printNumber = (value: number): string =>
  Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? BigInt(value).toString() : printFloat(value);

/** The exponent from which on `%v` shows it. Source: Go's strconv, for the shortest form. */
const EXPONENT_FROM = 6;

/** As `%v` prints a float64. */
export function printFloat(value: number): string {
  if (Object.is(value, -0)) return '-0';
  const text = value.toExponential();
  const exponent = Number(text.split('e')[1]);
  if (exponent >= -4 && exponent < EXPONENT_FROM) return String(value);
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** JSON as docker's `json` function makes it: compact. HTML is escaped only in a {@link Struct}, as Go does there. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value ?? null, exactNumbers)
    .replaceAll('\u2028', '\\u2028')
    .replaceAll('\u2029', '\\u2029');
  return value instanceof Struct && value.escapesHtml ? text.replaceAll(/[<>&]/g, escapeUnicode) : text;
}

const escapeUnicode = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A replacer for JSON.stringify that keeps all digits of a bigint. */
export function exactNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? rawJson(String(value)) : value;
}

const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
