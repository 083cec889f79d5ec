/** Go's zero values on the wire: what an empty collection becomes where Go has a nil. */
export const orNull = <T>(list: readonly T[] | undefined): readonly T[] | null =>
  list === undefined || list.length === 0 ? null : list;

/** A field that Go leaves out when it is empty (`omitempty`). */
export function omitEmpty<K extends string, V extends string | boolean | number>(
  key: K,
  value: V | undefined,
): { readonly [P in K]?: V } {
  return (value ? { [key]: value } : {}) as { readonly [P in K]?: V };
}

/** As {@link omitEmpty}, for lists and maps. */
export function omitEmptyObject<K extends string, V extends object>(
  key: K,
  value: V | undefined,
): { readonly [P in K]?: V } {
  const filled = value !== undefined && Object.keys(value).length > 0;
  return (filled ? { [key]: value } : {}) as { readonly [P in K]?: V };
}

/** A map in the order in which Go writes it: by key. */
export function byKey<V>(map: Readonly<Record<string, V>>): Readonly<Record<string, V>> {
  const keys = Object.keys(map);
  if (keys.every((key, at) => at === 0 || (keys[at - 1] ?? '') <= key)) return map;
  return Object.fromEntries(keys.sort().map((key) => [key, map[key] as V]));
}
