import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must } from '../../tests/harness/programs.ts';
import type { Engine } from '../engine.ts';
import { type Measurement, timeMs } from '../measurement.ts';

const ROUNDS = 4;
const IMAGE = 'bench-debian:latest';

/** Kept between runs: making the first takes half a minute. Each round has one whose layer is its own. */
const archive = (round: number): string => join(tmpdir(), `gantry-bench-debian-${round}.tar`);

/** Makes the 170 MB archives by our own bootstrap and save, once. Needs the network that `apt` uses. */
export async function ensureDebianArchives(start: () => Promise<Engine>): Promise<void> {
  const missing = Array.from({ length: ROUNDS }, (_, round) => round).filter(
    (round) => !existsSync(archive(round)),
  );
  if (missing.length === 0) return;
  const scratch = mkdtempSync(join(tmpdir(), 'gantry-bench-'));
  try {
    await using engine = await start();
    const { client, host } = engine;
    await must(client, ['image', 'bootstrap', 'debian', '--tag', IMAGE], { host });
    await must(client, ['save', '-o', `${scratch}/saved.tar`, IMAGE], { host });
    for (const round of missing) renameSync(await makeVariant(scratch, round), archive(round));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

interface SavedImage {
  readonly Config: string;
  readonly Layers: readonly [string];
}

/** The saved image with one more file in its only layer, so that no other image shares it. Answers the archive's path. */
async function makeVariant(scratch: string, round: number): Promise<string> {
  const directory = join(scratch, `round-${round}`);
  await shell(`mkdir ${directory} && tar -C ${directory} -xf ${scratch}/saved.tar`);
  const [saved] = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8')) as [SavedImage];
  const layer = saved.Layers[0];
  await shell(`cd ${directory} && echo ${round} > round && tar -rf ${layer} round`);
  const config = JSON.parse(readFileSync(join(directory, saved.Config), 'utf8')) as object;
  const diffId = new Bun.CryptoHasher('sha256').update(readFileSync(join(directory, layer))).digest('hex');
  const rootfs = { type: 'layers', diff_ids: [`sha256:${diffId}`] };
  writeFileSync(join(directory, 'config.json'), JSON.stringify({ ...config, rootfs }));
  renameSync(join(directory, layer), join(directory, 'layer.tar'));
  const manifest = [{ Config: 'config.json', RepoTags: [IMAGE], Layers: ['layer.tar'] }];
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify(manifest));
  await shell(`tar -C ${directory} -cf ${directory}.tar manifest.json config.json layer.tar`);
  rmSync(directory, { recursive: true });
  return `${directory}.tar`;
}

async function shell(script: string): Promise<void> {
  const child = Bun.spawn(['sh', '-ec', script], { stdio: ['ignore', 'ignore', 'inherit'] });
  if ((await child.exited) !== 0) throw new Error(`failed: ${script}`);
}

/**
 * Nothing is deleted between the rounds: for a minute after it has deleted many files, ext4 makes new ones several
 * times more slowly (`recently_deleted` in its inode allocator), and that would be most of what is measured.
 */
export const loadImage: Measurement = {
  name: 'load of a 170 MB image',
  unit: 'ms',
  better: 'lower',
  budget: 0.25,
  rounds: ROUNDS,
  sample: ({ client, host }, round) =>
    timeMs(() => must(client, ['load', '-q', '-i', archive(round)], { host })),
};
