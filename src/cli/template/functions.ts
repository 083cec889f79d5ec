import { ArgumentMismatch, EvalFailure } from './errors.ts';
import { sprintf } from './printf.ts';
import { isMap, isTruthy, printValue, toJson, typeName, WholeFloat } from './values.ts';

/** A function that templates may call. */
export type TemplateFunction = (...args: readonly unknown[]) => unknown;

const fail = (message: string): never => {
  throw new EvalFailure(message);
};

/** The argument at `at`, which must be a string. */
function textAt(args: readonly unknown[], at: number): string {
  const value = args[at];
  if (typeof value === 'string') return value;
  throw new ArgumentMismatch(at, 'string', typeName(value));
}

function countAt(args: readonly unknown[], at: number): number {
  const value = args[at];
  // Of literals the value counts, not the notation.
  const count = value instanceof WholeFloat ? value.value : value;
  if (Number.isSafeInteger(count)) return count as number;
  throw new ArgumentMismatch(at, 'int', typeName(value));
}

function listAt(args: readonly unknown[], at: number): readonly string[] {
  const value = args[at] ?? [];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw new ArgumentMismatch(at, '[]string', typeName(value));
}

/** `fmt.Sprint`: a space between two operands that are both not strings. */
function sprint(args: readonly unknown[]): string {
  return args
    .map((value, index) => {
      const before = args[index - 1];
      const spaced = index > 0 && typeof value !== 'string' && typeof before !== 'string';
      return `${spaced ? ' ' : ''}${printValue(value)}`;
    })
    .join('');
}

/** What escaping functions escape: nil is a text of its own there. */
const joinedText = (args: readonly unknown[]): string => sprint(args.map((value) => value ?? '<no value>'));

const HTML: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\uFFFD',
};

const JS: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

/** As two units where it has two, which is what a script reads. */
const escaped = (char: string): string =>
  char.replaceAll(
    /[\s\S]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`,
  );

function index(item: unknown, ...keys: readonly unknown[]): unknown {
  let value = item;
  for (const key of keys) value = indexOne(value, key);
  return value;
}

function indexOne(value: unknown, key: unknown): unknown {
  if (value === undefined || value === null) return fail('index of untyped nil');
  if (isMap(value)) return indexMap(value, key);
  if (typeof value !== 'string' && !Array.isArray(value))
    return fail(`can't index item of type ${typeName(value)}`);
  if (!isPosition(key)) return fail(`cannot index slice/array with type ${typeName(key)}`);
  // Go's strings are bytes.
  const items = typeof value === 'string' ? Buffer.from(value) : value;
  if (key < 0 || key >= items.length) return fail(`index out of range: ${key}`);
  return items[key];
}

const isPosition = (key: unknown): key is number => Number.isInteger(key);

function indexMap(map: Readonly<Record<string, unknown>>, key: unknown): unknown {
  if (typeof key !== 'string') return fail(`value has type ${typeName(key)}; should be string`);
  if (Object.hasOwn(map, key)) return map[key];
  // A map of strings, such as labels, gives the empty string; any other gives nothing.
  return Object.values(map).every((item) => typeof item === 'string') ? '' : undefined;
}

function slice(item: unknown, ...bounds: readonly unknown[]): unknown {
  if (item === undefined || item === null) return fail('slice of untyped nil');
  if (typeof item !== 'string' && !Array.isArray(item))
    return fail(`can't slice item of type ${typeName(item)}`);
  if (bounds.length > 3) return fail(`too many slice indexes: ${bounds.length}`);
  if (typeof item === 'string' && bounds.length > 2) return fail('cannot 3-index slice a string');
  const items = typeof item === 'string' ? Buffer.from(item) : item;
  const [from = 0, to = items.length] = bounds.map((bound) =>
    isPosition(bound) ? bound : fail(`cannot index slice/array with type ${typeName(bound)}`),
  );
  if (from < 0 || from > items.length) return fail(`index out of range: ${from}`);
  if (to < 0 || to > items.length) return fail(`index out of range: ${to}`);
  if (from > to) return fail(`invalid slice index: ${from} > ${to}`);
  const part = items.slice(from, to);
  return Buffer.isBuffer(part) ? part.toString() : part;
}

function length(item: unknown): number {
  if (item === null || item === undefined) return fail('reflect: call of reflect.Value.Type on zero Value');
  if (typeof item === 'string') return Buffer.byteLength(item);
  if (Array.isArray(item)) return item.length;
  return isMap(item) ? Object.keys(item).length : fail(`len of type ${typeName(item)}`);
}

function equals(first: unknown, ...others: readonly unknown[]): boolean {
  if (others.length === 0) return fail('missing argument for comparison');
  return others.some((other) => equalPair(first, other));
}

/** To be compared: integers of any size are bigints, floats are numbers. */
function exact(value: unknown): unknown {
  if (value instanceof WholeFloat) return value.value;
  return Number.isInteger(value) ? BigInt(value as number) : value;
}

function equalPair(one: unknown, other: unknown): boolean {
  const [left, right] = [one ?? null, other ?? null];
  if (left === null || right === null) return left === right;
  const [a, b] = [exact(left), exact(right)];
  if (typeof a === 'object' || typeof b === 'object') return fail('non-comparable type');
  if (typeof a !== typeof b) return fail('incompatible types for comparison');
  return a === b;
}

function less(one: unknown, other: unknown): boolean {
  const [a, b] = [exact(one), exact(other)];
  const comparable = (value: unknown) => ['number', 'bigint', 'string'].includes(typeof value);
  if (!comparable(a) || !comparable(b)) return fail('invalid type for comparison');
  if (typeof a !== typeof b) return fail('incompatible types for comparison');
  return (a as number) < (b as number);
}

/** Functions of Go's text/template. `and` and `or` also short-circuit, in the executor. */
export const BUILTINS: Readonly<Record<string, TemplateFunction>> = {
  and: (...args) => args.find((value) => !isTruthy(value)) ?? args.at(-1),
  or: (...args) => args.find(isTruthy) ?? args.at(-1),
  not: (value) => !isTruthy(value),
  call: (value) => fail(`non-function of type ${typeName(value)}`),
  html: (...args) => joinedText(args).replaceAll(/["'&<>\0]/g, (char) => HTML[char] ?? char),
  js: (...args) =>
    joinedText(args).replaceAll(/[\\'"<>&=]|(?! )[\p{C}\p{Z}]/gu, (char) => JS[char] ?? escaped(char)),
  urlquery: (...args) =>
    encodeURIComponent(joinedText(args))
      .replaceAll('%20', '+')
      .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`),
  index,
  slice,
  len: length,
  print: (...args) => sprint(args),
  printf: (...args) => sprintf(textAt(args, 0), args.slice(1)),
  println: (...args) => `${args.map(printValue).join(' ')}\n`,
  eq: equals,
  ne: (a, b) => !equalPair(a, b),
  lt: less,
  le: (a, b) => less(a, b) || equalPair(a, b),
  gt: (a, b) => !(less(a, b) || equalPair(a, b)),
  ge: (a, b) => !less(a, b),
};

const EXACTLY = {
  json: 1,
  title: 1,
  lower: 1,
  upper: 1,
  not: 1,
  split: 2,
  join: 2,
  truncate: 2,
  ne: 2,
  lt: 2,
  le: 2,
  gt: 2,
  ge: 2,
  pad: 3,
  len: 1,
};
const AT_LEAST = { and: 1, or: 1, call: 1, eq: 1, index: 1, slice: 1, printf: 1 };
const { POSITIVE_INFINITY } = Number;

/** How many arguments functions take, least and most; any number where nothing is said. */
export const ARGUMENTS: Readonly<Record<string, readonly [number, number]>> = Object.fromEntries([
  ...Object.entries(EXACTLY).map(([name, count]) => [name, [count, count]]),
  ...Object.entries(AT_LEAST).map(([name, count]) => [name, [count, POSITIVE_INFINITY]]),
]);

/** Go maps letter by letter: `ß` has no capital, and the place in the word does not matter. */
const upper = (text: string): string => [...text].map((char) => only(char.toUpperCase()) ?? char).join('');
const lower = (text: string): string => [...text].map((char) => [...char.toLowerCase()][0]).join('');

/** The one code point that a text consists of. */
function only(text: string): string | undefined {
  const [first, ...more] = text;
  return more.length === 0 ? first : undefined;
}

/** Go's strings.Title: the first letter of each word. Of ASCII everything else separates words, beyond only spaces do. */
const title = (text: string): string =>
  text.replaceAll(
    /(^|[^\p{L}\p{N}_\u0080-\u{10ffff}]|\s)(\p{L})/gu,
    (_all, before, letter) => before + upper(letter),
  );

/** More is no padding any more, but an attack on the memory. */
const MAX_BLANKS = 2 ** 27;

function blanks(count: number): string {
  if (count < 0) return fail('strings: negative Repeat count');
  return count > MAX_BLANKS ? fail('strings: Repeat output length overflow') : ' '.repeat(count);
}

const pad: TemplateFunction = (...args) =>
  args[0] === '' ? '' : `${blanks(countAt(args, 1))}${textAt(args, 0)}${blanks(countAt(args, 2))}`;

const truncate: TemplateFunction = (...args) => {
  const count = countAt(args, 1);
  if (count < 0) return fail(`runtime error: slice bounds out of range [:${count}]`);
  return Buffer.from(textAt(args, 0)).subarray(0, count).toString();
};

/** Functions that docker adds. */
export const DOCKER_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  json: (value) => toJson(value),
  split: (...args) => textAt(args, 0).split(textAt(args, 1)),
  join: (...args) => listAt(args, 0).join(textAt(args, 1)),
  title: (...args) => title(textAt(args, 0)),
  lower: (...args) => lower(textAt(args, 0)),
  upper: (...args) => upper(textAt(args, 0)),
  pad,
  truncate,
};

/** The same names for the header of a table: what they are given stays as it is. */
export const HEADER_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  ...Object.fromEntries(
    Object.keys(DOCKER_FUNCTIONS).map((name) => [name, (...args: readonly unknown[]) => textAt(args, 0)]),
  ),
  pad,
};
