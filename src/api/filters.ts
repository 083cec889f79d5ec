import { hasLabel, invalidArgument } from '#base';
import { invalidFilter } from './errors.ts';

/** Filters by key. Values of one key are a set, in the order they came. */
export type Filters = Readonly<Record<string, readonly string[]>>;

/**
 * Parses the query parameter `filters`: the map form `{"label":{"a":true}}` or the list form `{"label":["a"]}`;
 * empty or undefined is no filter.
 * @throws `invalid_argument` (`invalid filter`).
 */
export function parseFilters(text: string | undefined): Filters {
  if (!text) return {};
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw invalidFilter();
  }
  if (json === null) return {};
  if (typeof json !== 'object' || Array.isArray(json)) throw invalidFilter();
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, filterValues(value)]));
}

function filterValues(value: unknown): string[] {
  if (value === null) return [];
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item === 'string')) return [...new Set(value)];
  } else if (typeof value === 'object') {
    if (Object.values(value).every((item) => typeof item === 'boolean')) return Object.keys(value);
  }
  throw invalidFilter();
}

/** The map form that every engine since API 1.22 takes; undefined for no filter. */
export function encodeFilters(filters: Filters): string | undefined {
  const entries = Object.entries(filters);
  if (entries.length === 0) return undefined;
  return JSON.stringify(
    Object.fromEntries(
      entries.map(([key, values]) => [key, Object.fromEntries(values.map((value) => [value, true]))]),
    ),
  );
}

/**
 * Adds one `--filter key=value` to filters; keys are lower-cased and trimmed as docker's CLI does.
 * @throws `invalid_argument` for a text without `=`.
 */
export function addFilterFlag(filters: Filters, text: string): Filters {
  if (text === '') return filters;
  const at = text.indexOf('=');
  if (at < 0) throw invalidArgument('invalid argument: bad format of filter (expected name=value)');
  const key = text.slice(0, at).trim().toLowerCase();
  const value = text.slice(at + 1).trim();
  const others = Object.hasOwn(filters, key) ? (filters[key] ?? []) : [];
  return { ...filters, [key]: [...new Set([...others, value])] };
}

/** @throws `invalid_argument` (`invalid filter 'key'`) for a key that is not in `accepted`. */
export function requireFilterKeys(filters: Filters, accepted: readonly string[]): void {
  for (const key of Object.keys(filters)) if (!accepted.includes(key)) throw invalidFilter(key);
}

/**
 * A filter that is true or false (`1`, `true`, `0`, `false`).
 * @throws `invalid_argument` when given with anything else, or with both.
 */
export function booleanFilter(filters: Filters, key: string): boolean | undefined {
  const values = filters[key];
  if (values === undefined) return undefined;
  const isTrue = values.includes('1') || values.includes('true');
  const isFalse = values.includes('0') || values.includes('false');
  if (isTrue === isFalse) throw invalidFilter(key, values);
  return isTrue;
}

/** True when every `label=…` filter (`key` or `key=value`) holds. */
export function matchesLabels(
  labels: Readonly<Record<string, string>>,
  wanted: readonly string[] | undefined,
): boolean {
  return (wanted ?? []).every((filter) => hasLabel(labels, filter));
}
