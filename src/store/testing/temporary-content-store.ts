import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { openContentStore } from '../content/content-store.ts';
import type { ContentStore } from '../types.ts';

/** A real {@link ContentStore} in a temporary directory, which disposing removes. */
export function createTemporaryContentStore(): ContentStore & Disposable {
  const root = mkdtempSync(join(tmpdir(), 'gantry-test-content-'));
  const store = openContentStore({ root, logger: silentLogger });
  return Object.assign(store, {
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  });
}
