import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** The repository. */
export const ROOT = join(import.meta.dir, '../..');
/** What later runs use again: kernels and root images. `make clean` removes it. Hidden, so that nobody looks for tests in it. */
export const CACHE = join(ROOT, 'dist/.vm');

/** Says what takes long. */
export const say = (text: string): void => console.error(`==> vm: ${text}`);

/** Runs a program of the host to its end and returns what it printed. Throws with everything it said. */
export async function host(
  command: readonly string[],
  options: { readonly cwd?: string } = {},
): Promise<string> {
  const child = Bun.spawn([...command], {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, status] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (status !== 0) throw new Error(`${command.join(' ')}: exit code ${status}\n${stdout}${stderr}`);
  return stdout;
}

/** Returns `path`, made by `make` at a name beside it when it is missing: half of it is never taken for all of it. */
export async function cached(path: string, make: (partial: string) => Promise<void>): Promise<string> {
  if (existsSync(path)) return path;
  const partial = `${path}.partial-${process.pid}`;
  try {
    await make(partial);
    if (!existsSync(path)) renameSync(partial, path);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return path;
}
