import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '#base';
import { type Digest, digestOf } from '#oci';
import { createOverlaySnapshotter, LAYER_WORKER_ENTRY, openMetadataStore } from '#store';
import { file, layerTar } from '#store/testing';
import { createSys } from '#sys';

const REPOSITORY = join(import.meta.dir, '../../..');
const PROGRAM = join(import.meta.dir, 'fixtures/apply-program.ts');
const KILLS = 12;

let root = '';
let blobPath = '';
let diffId: Digest;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'gantry-test-crash-'));
  blobPath = join(root, 'layer.tar');
  const members = Array.from({ length: 1500 }, (_, index) =>
    file(`dir${index % 30}/f${index}`, 'x'.repeat(4000)),
  );
  const bytes = await layerTar(members);
  writeFileSync(blobPath, bytes);
  diffId = digestOf(bytes);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('SIGKILL while a layer is being applied', () => {
  test('the next process finds nothing half-made and can apply it', async () => {
    let survivors = 0;
    for (let round = 0; round < KILLS; round += 1) {
      const child = Bun.spawn([process.execPath, PROGRAM, root, blobPath, digestOf(`layer ${round}`)], {
        stdout: 'pipe',
        stderr: 'inherit',
      });
      // From the moment the store is open; the whole work takes some 100 ms.
      await child.stdout.getReader().read();
      await Bun.sleep(round * 10);
      child.kill('SIGKILL');
      await child.exited;
      survivors += await inspect();
    }
    expect(survivors).toBeLessThan(KILLS);
  }, 60_000);

  /** Opens the store as the next daemon would. Returns how many layers were complete, after removing them. */
  async function inspect(): Promise<number> {
    using metadata = openMetadataStore({ path: join(root, 'metadata.db'), logger: silentLogger });
    const overlay = join(root, 'overlay2');
    const snapshotter = createOverlaySnapshotter({
      root: overlay,
      metadata,
      sys: createSys(),
      logger: silentLogger,
    });
    await snapshotter.settle();
    const present = snapshotter.layers();
    expect(readdirSync(join(overlay, 'layers'))).toHaveLength(present.length);
    expect(readdirSync(join(overlay, 'staging'))).toEqual([]);
    expect(readdirSync(join(overlay, 'trash'))).toEqual([]);
    await snapshotter.applyLayer({ chainId: digestOf('probe'), parent: undefined, blobPath });
    for (const chainId of snapshotter.layers()) {
      expect(snapshotter.layer(chainId)?.diffId).toBe(diffId);
      const found = Bun.spawnSync([
        'find',
        join(overlay, 'layers', chainId.slice(7), 'diff'),
        '-type',
        'f',
        '-size',
        '4000c',
      ]);
      expect(found.stdout.toString().trimEnd().split('\n')).toHaveLength(1500);
      await snapshotter.removeLayer(chainId);
    }
    await snapshotter.settle();
    return present.length;
  }
});

test('the Worker is found in the compiled program', async () => {
  const binary = join(root, 'program');
  const flags = ['--compile', '--splitting', '--bytecode', '--minify', '--format=esm', '--root', REPOSITORY];
  const entries = [PROGRAM, join(REPOSITORY, LAYER_WORKER_ENTRY)];
  const build = Bun.spawnSync([process.execPath, 'build', ...flags, ...entries, '--outfile', binary], {
    cwd: REPOSITORY,
  });
  expect([build.exitCode, build.stderr.toString()]).toEqual([0, expect.anything()]);
  const run = Bun.spawnSync([binary, root, blobPath], { cwd: '/', timeout: 20_000 });
  expect([run.stdout.toString(), run.stderr.toString()]).toEqual([`ready\napplied ${diffId}\n`, '']);
}, 60_000);
