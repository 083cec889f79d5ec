import { errorMessage } from '#base';
import type { Collection, MetadataStore } from '../types.ts';

/**
 * A {@link MetadataStore} in memory with the semantics of the real one: values pass through JSON, `transaction` rolls
 * back, documents that fail to decode are quarantined. Collections outlive nothing but the object.
 */
export function createMemoryMetadataStore(): MetadataStore {
  let tables = new Map<string, Map<string, string>>();
  const quarantined: { collection: string; key: string; reason: string }[] = [];
  const table = (name: string): Map<string, string> => {
    const found = tables.get(name) ?? new Map<string, string>();
    tables.set(name, found);
    return found;
  };

  function collection<T>(name: string, decode: (stored: unknown) => T): Collection<T> {
    const read = (key: string, text: string): { readonly value: T } | undefined => {
      try {
        return { value: decode(JSON.parse(text)) };
      } catch (error) {
        quarantined.push({ collection: name, key, reason: errorMessage(error) });
        table(name).delete(key);
        return undefined;
      }
    };
    return {
      get(key) {
        const text = table(name).get(key);
        return text === undefined ? undefined : read(key, text)?.value;
      },
      put: (key, value) => void table(name).set(key, JSON.stringify(value)),
      delete: (key) => table(name).delete(key),
      entries: () =>
        [...table(name)]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .flatMap(([key, text]): [string, T][] => {
            const found = read(key, text);
            return found ? [[key, found.value]] : [];
          }),
    };
  }

  return {
    collection,
    isRebuilt: false,
    quarantined,
    transaction(action) {
      const before = new Map([...tables].map(([name, rows]) => [name, new Map(rows)]));
      try {
        return action();
      } catch (error) {
        tables = before;
        throw error;
      }
    },
    [Symbol.dispose]: () => {},
  };
}
