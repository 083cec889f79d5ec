import { expect } from 'bun:test';
import { statSync } from 'node:fs';
import { hasCode } from '#base';
import { HOSTILE_ARCHIVES } from './hostile-archives.ts';
import type { RunTest } from './snapshotter-suite.ts';

/** Applies every archive of the corpus, on nothing and on a layer. The runner checks the canary. */
export function hostileArchiveSuite(run: RunTest): void {
  for (const archive of HOSTILE_ARCHIVES)
    run(`hostile archive (${archive.expected}): ${archive.name}`, async (context) => {
      const bytes = await archive.build(context.outside);
      const before = statSync(context.outside, { bigint: true });
      for (const parent of [undefined, await context.apply([])]) {
        const layers = context.snapshotter.layers().length;
        const error = await context.applyBytes(bytes, { parent }).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (archive.expected === 'refused') {
          expect([hasCode(error, 'invalid_argument'), error]).toEqual([true, error]);
          expect(context.snapshotter.layers()).toHaveLength(layers);
        } else {
          expect(error === undefined || hasCode(error, 'invalid_argument') || error).toBe(true);
        }
      }
      expect(statSync(context.outside, { bigint: true }).ctimeNs).toBe(before.ctimeNs);
    });
}
