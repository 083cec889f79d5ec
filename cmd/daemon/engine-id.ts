import { randomUUID } from 'node:crypto';
import { invalidArgument } from '#base';
import type { MetadataStore } from '#store';

const KEY = 'id';

/** The engine's ID: made once for a data root and kept in its metadata. A damaged one is replaced. */
export function loadEngineId(metadata: MetadataStore): string {
  const facts = metadata.collection('engine', decodeId);
  const stored = facts.get(KEY);
  if (stored !== undefined) return stored;
  const id = randomUUID();
  facts.put(KEY, id);
  return id;
}

function decodeId(stored: unknown): string {
  if (typeof stored === 'string' && /^[0-9a-f-]{36}$/.test(stored)) return stored;
  throw invalidArgument('engine ID is not a UUID');
}
