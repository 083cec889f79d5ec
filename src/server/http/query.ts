import { type Filters, parseFilters } from '#api';
import { badEscape, badTimestamp, notAnInteger, semicolonInQuery } from '../errors.ts';

/** Values by name, in order. */
export type RawQuery = Map<string, string[]>;

/**
 * Splits a query as Go's net/url does.
 * @throws `invalid_argument` for semicolons and broken escapes.
 */
export function parseQuery(search: string): RawQuery {
  const query: RawQuery = new Map();
  if (search === '') return query;
  for (const pair of search.split('&')) {
    if (pair === '') continue;
    if (pair.includes(';')) throw semicolonInQuery();
    const at = pair.indexOf('=');
    const name = decodePart(at < 0 ? pair : pair.slice(0, at));
    const value = at < 0 ? '' : decodePart(pair.slice(at + 1));
    const values = query.get(name);
    if (values) values.push(value);
    else query.set(name, [value]);
  }
  return query;
}

function decodePart(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text;
  const broken = /%(?![0-9a-fA-F]{2}).{0,2}/.exec(text);
  if (broken) throw badEscape(broken[0]);
  const bytes = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(bytes);
  } catch {
    // Bytes that are no UTF-8: Go keeps them, and prints them as the replacement character later.
    return Buffer.from(
      bytes.replace(/%([0-9a-fA-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
      'latin1',
    ).toString('utf8');
  }
}

/** One query parameter: how it is read, and its type in the reference pages. */
export interface Param<T> {
  readonly type: string;
  read(values: readonly string[] | undefined, name: string): T;
}

export type Params = Readonly<Record<string, Param<unknown>>>;
export type QueryOf<P extends Params> = { readonly [K in keyof P]: P[K] extends Param<infer T> ? T : never };

const FALSE = new Set(['', '0', 'no', 'false', 'none']);
const isTrue = (text: string): boolean => !FALSE.has(text.trim().toLowerCase());

/** docker's lenient boolean: everything is true but empty, `0`, `no`, `false` and `none`. Default false. */
export const flag: Param<boolean> = {
  type: 'boolean',
  read: (values) => values !== undefined && isTrue(values[0] ?? ''),
};

/** As {@link flag}, true when the parameter is missing. */
export const flagDefaultTrue: Param<boolean> = {
  type: 'boolean (default true)',
  read: (values) => values === undefined || isTrue(values[0] ?? ''),
};

/** As {@link flag}, undefined when the parameter is missing. */
export const optionalFlag: Param<boolean | undefined> = {
  type: 'boolean',
  read: (values) => (values === undefined ? undefined : isTrue(values[0] ?? '')),
};

export const text: Param<string> = { type: 'string', read: (values) => values?.[0] ?? '' };

/** Undefined when missing or empty. */
export const optionalText: Param<string | undefined> = {
  type: 'string',
  read: (values) => values?.[0] || undefined,
};

export const texts: Param<readonly string[]> = { type: 'string, repeatable', read: (values) => values ?? [] };

/** Distinguishes "missing" from "given empty". */
export const optionalTexts: Param<readonly string[] | undefined> = {
  type: 'string, repeatable',
  read: (values) => values,
};

export const optionalInteger: Param<number | undefined> = {
  type: 'integer',
  read(values) {
    const value = values?.[0];
    if (!value) return undefined;
    if (!/^[+-]?\d+$/.test(value)) throw notAnInteger(value);
    return Number(value);
  },
};

export const filters: Param<Filters> = {
  type: 'filters (JSON)',
  read: (values) => parseFilters(values?.[0]),
};

/** Seconds since the epoch with up to nine decimals, in nanoseconds. Undefined when missing, empty or 0. */
export const timestampNs: Param<bigint | undefined> = {
  type: 'timestamp',
  read(values, name) {
    const value = values?.[0];
    if (!value) return undefined;
    const match = /^(-?\d+)(?:\.(\d+))?$/.exec(value);
    if (!match?.[1]) throw badTimestamp(JSON.stringify(name), value);
    const nanos = BigInt((match[2] ?? '').slice(0, 9).padEnd(9, '0'));
    const ns = BigInt(match[1]) * 1_000_000_000n + nanos;
    return ns === 0n ? undefined : ns;
  },
};
