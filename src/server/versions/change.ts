import { type ApiVersion, addFilterFlag, encodeFilters, parseFilters } from '#api';
import type { RawQuery } from '../http/query.ts';
import type { Reply } from '../http/reply.ts';

/** One difference of an older API version. Pure: a value comes back, the one given is left alone. */
export interface Change {
  /** Holds for clients that speak an older version than this. */
  readonly before: ApiVersion;
  /** For the reference pages. */
  readonly note: string;
  /** The client's query to today's. */
  readonly query?: (query: RawQuery) => RawQuery;
  /** The client's body to today's. May throw `invalid_argument`. */
  readonly body?: (body: unknown) => unknown;
  /** Today's JSON answer to the client's. */
  readonly value?: (value: unknown) => unknown;
  /** Today's reply to the client's, for what is not JSON. */
  readonly reply?: (reply: Reply) => Reply;
}

export type ChangeTable = Readonly<Record<string, readonly Change[]>>;

/** Types a value transform; the route guarantees the shape. */
export const onValue = <T>(transform: (value: T) => unknown): ((value: unknown) => unknown) =>
  transform as (value: unknown) => unknown;

/** As {@link onValue}, for every element of a list. */
export const onEach = <T>(transform: (value: T) => unknown): ((value: unknown) => unknown) =>
  ((values: readonly T[]) => values.map(transform)) as (value: unknown) => unknown;

/** As {@link onEach}, for a stable list: what was transformed once stays the same object as well. */
export function onStableEach<T extends object>(transform: (value: T) => object): (value: unknown) => unknown {
  const known = new WeakMap<T, object>();
  return onEach<T>((value) => {
    let changed = known.get(value);
    if (changed === undefined) {
      changed = transform(value);
      known.set(value, changed);
    }
    return changed;
  });
}

export const withoutParam =
  (...names: readonly string[]) =>
  (query: RawQuery): RawQuery => {
    const rest = new Map(query);
    for (const name of names) rest.delete(name);
    return rest;
  };

export const withParam =
  (name: string, value: string) =>
  (query: RawQuery): RawQuery =>
    new Map(query).set(name, [value]);

/** A copy without some fields. A plain loop: lists of a thousand containers pass through here. */
export function omit(value: object, ...names: readonly string[]): object {
  const rest: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(value)) if (!names.includes(name)) rest[name] = field;
  return rest;
}

/** The query with one more filter, `key=value`. @throws `invalid_argument` for filters that are none. */
export function withFilter(query: RawQuery, filter: string): RawQuery {
  const filters = addFilterFlag(parseFilters(query.get('filters')?.[0]), filter);
  return new Map(query).set('filters', [encodeFilters(filters) ?? '']);
}
