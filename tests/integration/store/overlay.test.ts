import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { createOverlaySnapshotter } from '#store';
import { createMemoryMetadataStore, snapshotterSuite } from '#store/testing';
import { createSys } from '#sys';

snapshotterSuite('createOverlaySnapshotter', async () => {
  const root = mkdtempSync(join(tmpdir(), 'gantry-test-overlay-'));
  const snapshotter = createOverlaySnapshotter({
    root,
    metadata: createMemoryMetadataStore(),
    sys: createSys(),
    logger: silentLogger,
  });
  return {
    snapshotter,
    [Symbol.asyncDispose]: async () => {
      await snapshotter.settle();
      rmSync(root, { recursive: true, force: true });
    },
  };
});
