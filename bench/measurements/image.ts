import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../../tests/harness/programs.ts';
import type { Engine } from '../engine.ts';
import { type Measurement, timeMs } from '../measurement.ts';

/** Where `bench/run.ts` keeps the Debian archive between runs: making it takes half a minute. */
export const DEBIAN_ARCHIVE = join(tmpdir(), 'gantry-bench-debian.tar');
const IMAGE = 'bench-debian:latest';

/** Makes the 170 MB archive by our own bootstrap and save, once. */
export async function ensureDebianArchive(engine: Engine): Promise<void> {
  if (existsSync(DEBIAN_ARCHIVE)) return;
  const { client, host } = engine;
  const scratch = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
  try {
    await must(client, ['image', 'bootstrap', 'debian', '--tag', IMAGE], { host });
    await must(client, ['save', '-o', `${scratch}/a.tar`, IMAGE], { host });
    await Bun.write(DEBIAN_ARCHIVE, Bun.file(`${scratch}/a.tar`));
    await must(client, ['rmi', IMAGE], { host });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

export const loadImage: Measurement = {
  name: 'load of a 170 MB image',
  unit: 'ms',
  better: 'lower',
  budget: 0.25,
  rounds: 5,
  sample: async (engine) => {
    const { client, host } = engine;
    const ms = await timeMs(() => must(client, ['load', '-q', '-i', DEBIAN_ARCHIVE], { host }));
    await must(client, ['rmi', IMAGE], { host });
    return ms;
  },
};
