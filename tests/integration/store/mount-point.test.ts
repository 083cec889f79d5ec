import { expect, test } from 'bun:test';
import { mkdtempSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { createOverlaySnapshotter } from '#store';
import { createMemoryMetadataStore } from '#store/testing';
import { createSys } from '#sys';

// As after a removal that was cut short behind the removal of the mount point.
test('a snapshot without its mount point is not mounted, and gets it back', async () => {
  const root = mkdtempSync(join(tmpdir(), 'gantry-test-overlay-'));
  const snapshotter = createOverlaySnapshotter({
    root,
    metadata: createMemoryMetadataStore(),
    sys: createSys(),
    logger: silentLogger,
  });
  try {
    await snapshotter.createSnapshot('c1', undefined);
    rmdirSync(join(root, 'snapshots/c1/merged'));
    expect(snapshotter.isMounted('c1')).toBe(false);
    const merged = snapshotter.mount('c1');
    expect(snapshotter.isMounted('c1')).toBe(true);
    expect(statSync(merged).dev).not.toBe(statSync(join(merged, '..')).dev);
    await snapshotter.removeSnapshot('c1');
    expect(() => snapshotter.mount('c1')).toThrow(expect.objectContaining({ code: 'not_found' }));
  } finally {
    await snapshotter.settle();
    rmSync(root, { recursive: true, force: true });
  }
});
