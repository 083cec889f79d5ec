/**
 * Runs tests in a virtual machine with a kernel, a cgroup hierarchy (version 2 only) and a security module of its own:
 * what this host does not have. See CONTRIBUTING.md. Exits with the tests' code; their last line counts them.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GANTRY } from '../../tests/harness/programs.ts';
import { makeInitramfs } from './initramfs.ts';
import { fetchKernel } from './kernel.ts';
import { runMachine } from './machine.ts';
import { parseVmOptions, USAGE, type VmOptions } from './options.ts';
import { makeRootImage } from './root-image.ts';
import { makeWorkImage } from './work-image.ts';

async function main(options: VmOptions): Promise<number> {
  if (!existsSync(GANTRY)) throw new Error(`${GANTRY} is missing: run make build`);
  const kernel = await fetchKernel(options.kernel);
  const rootImage = await makeRootImage(options.lsm);
  const scratch = mkdtempSync(join(tmpdir(), 'gantry-vm-'));
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort());
  try {
    const initramfs = await makeInitramfs(scratch, kernel);
    const workImage = await makeWorkImage(scratch, kernel, guestScript(options));
    const parts = { kernelImage: kernel.image, initramfs, rootImage, workImage };
    return await runMachine(parts, { ...options, scratch, signal: interrupted.signal });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What the machine runs after its init has set everything up. */
const guestScript = (options: VmOptions): string =>
  [
    ...(process.stdout.isTTY ? [] : ['export NO_COLOR=1 TERM=dumb']),
    options.command ?? ['exec node_modules/.bin/bun tools/vm/guest/tests.ts', ...options.tests].join(' '),
  ].join('\n');

function options(): VmOptions {
  try {
    return parseVmOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${USAGE}`);
    process.exit(2);
  }
}

process.exit(await main(options()));
