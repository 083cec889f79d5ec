import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NETWORK_WORKER_ENTRY } from '#network';
import { canUnshare } from './private-namespace.ts';

const REPOSITORY = join(import.meta.dir, '../../..');
const PROGRAM = join(import.meta.dir, 'fixtures/compiled.ts');
const FLAGS = ['--compile', '--splitting', '--bytecode', '--minify', '--format=esm', '--root', REPOSITORY];

test.skipIf(!canUnshare())(
  'the Worker starts in the compiled program',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'gantry-test-net-'));
    try {
      const binary = join(directory, 'program');
      const entries = [PROGRAM, join(REPOSITORY, NETWORK_WORKER_ENTRY)];
      const build = Bun.spawnSync([process.execPath, 'build', ...FLAGS, ...entries, '--outfile', binary], {
        cwd: REPOSITORY,
      });
      expect([build.exitCode, build.stderr.toString()]).toEqual([0, expect.anything()]);
      const unshare = ['unshare', '--net', '--mount', '--propagation', 'private'];
      const run = Bun.spawnSync([...unshare, binary, directory], { cwd: '/', timeout: 20_000 });
      expect([run.stdout.toString(), run.stderr.toString()]).toEqual(['address 172.17.0.2', '']);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
  60_000,
);
