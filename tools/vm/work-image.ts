import { cpSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { host, ROOT } from './host.ts';
import type { Kernel } from './kernel.ts';

const BINARIES = ['dist/gantry', 'node_modules/.bin', 'node_modules/bun'];
/** A docker CLI newer than Debian's, where the host has one. */
const NEWER_CLIENT = '/usr/local/bin/docker';
const MIB = 1024 * 1024;

/**
 * Makes the image of this run: the working tree as it is, what it was built into, and in `machine` the kernel's modules
 * and the shell text to run.
 */
export async function makeWorkImage(scratch: string, kernel: Kernel, script: string): Promise<string> {
  const tree = join(scratch, 'work');
  const files = await host(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  for (const file of files.split('\0').filter(Boolean)) copy(join(ROOT, file), join(tree, file));
  for (const path of BINARIES) copy(join(ROOT, path), join(tree, path));
  copy(NEWER_CLIENT, join(tree, 'machine/docker'));
  copy(kernel.modules, join(tree, 'machine/modules', kernel.release));
  await Bun.write(join(tree, 'machine/script'), script);
  const image = join(scratch, 'work.ext4');
  const usedMib = Number((await host(['du', '-sm', tree])).split('\t')[0]);
  await host(['mkfs.ext4', '-q', '-O', '^has_journal', '-m', '0', '-d', tree, image, `${usedMib + 256}M`]);
  await host(['rm', '-rf', tree]);
  if (statSync(image).size > 2048 * MIB) throw new Error('the working tree has grown beyond 2 GiB');
  return image;
}

/** A file that git knows and the tree lost is left out, as the tests would find it. */
function copy(from: string, to: string): void {
  if (!existsSync(from)) return;
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
}
