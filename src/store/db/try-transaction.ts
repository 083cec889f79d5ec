import type { MetadataStore } from '../types.ts';

/**
 * {@link MetadataStore.transaction} for what is found out at a start: the result stands also when it could not be committed (on
 * a full disk the commit fails, not the writes), and the next start finds the same. Open the collections before: one that is
 * new would be undone as well.
 * @throws what `action` throws.
 */
export function tryTransaction<T extends object>(
  metadata: MetadataStore,
  action: () => T,
  onUnsaved: (error: unknown) => void,
): T {
  const results: T[] = [];
  try {
    return metadata.transaction(() => {
      const result = action();
      results.push(result);
      return result;
    });
  } catch (error) {
    const [result] = results;
    if (result === undefined) throw error;
    onUnsaved(error);
    return result;
  }
}
