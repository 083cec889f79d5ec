/**
 * Holds the conversations of tests/e2e/api with the reference engine and writes its answers to tests/e2e/api/testdata,
 * where the tests compare ours with them. Needs the reference engine's tool (GANTRY_REFERENCE_ENGINE), root, and a
 * built dist/gantry for the image.
 *
 * Usage: bun tools/record-reference.ts
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGantry, startReference } from '../bench/engine.ts';
import { converse } from '../tests/e2e/api/conversation.ts';
import { CONVERSATIONS, RECORDINGS } from '../tests/e2e/api/conversations.ts';
import { normalize } from '../tests/e2e/api/normalize.ts';
import { must } from '../tests/harness/programs.ts';
import { runInPrivateNetwork } from './private-network.ts';

async function main(): Promise<number> {
  const scratch = mkdtempSync(join(tmpdir(), 'gantry-record-'));
  try {
    const archive = join(scratch, 'busybox.tar');
    {
      await using gantry = await startGantry();
      await must(gantry.client, ['save', '-o', archive, 'busybox'], { host: gantry.host });
    }
    mkdirSync(RECORDINGS, { recursive: true });
    for (const [name, steps] of Object.entries(CONVERSATIONS)) {
      await using reference = await startReference(archive);
      if (!reference) return 1;
      const exchanges = await converse(reference.host.replace('unix://', ''), steps, normalize);
      writeFileSync(join(RECORDINGS, `${name}.json`), `${JSON.stringify(exchanges, null, 2)}\n`);
      console.error(`==> recorded ${exchanges.length} answers: ${name}`);
    }
    return 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

await runInPrivateNetwork(import.meta.path, main);
