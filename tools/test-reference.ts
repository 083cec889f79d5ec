/**
 * Runs the end-to-end scenarios with the official clients against the reference engine: a test that fails there tests
 * our imagination. Needs the reference engine's tool (GANTRY_REFERENCE_ENGINE) and a built dist/gantry for the image.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGantry, startReference } from '../bench/engine.ts';
import { must } from '../tests/harness/programs.ts';
import { runInPrivateNetwork } from './private-network.ts';

async function main(): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
  let status = 1;
  try {
    const archive = join(scratch, 'busybox.tar');
    {
      await using gantry = await startGantry();
      await must(gantry.client, ['save', '-o', archive, 'busybox'], { host: gantry.host });
    }
    await using reference = await startReference(archive);
    if (reference) {
      const child = Bun.spawn(
        ['node_modules/.bin/bun', 'test', '--timeout=120000', './tests/e2e', ...process.argv.slice(2)],
        {
          env: { ...process.env, GANTRY_TEST_HOST: reference.host },
          stdio: ['ignore', 'inherit', 'inherit'],
        },
      );
      status = await child.exited;
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return status;
}

await runInPrivateNetwork(import.meta.path, main);
