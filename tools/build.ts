/**
 * Makes `dist/gantry`, the one executable: client, daemon and Workers.
 *
 * A Worker must be an entry point of its own, or it fails silently inside the executable; each room that has one
 * exports its path.
 */
import { mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { workerEntries } from '../cmd/worker-entries.ts';
import packageJson from '../package.json';

const ROOT = join(import.meta.dir, '..');
const OUTFILE = join(ROOT, 'dist/gantry');

function commit(): string {
  const git = Bun.spawnSync(['git', '-C', ROOT, 'rev-parse', '--short=12', 'HEAD'], { stderr: 'ignore' });
  return git.exitCode === 0 ? git.stdout.toString().trim() : 'unknown';
}

const started = performance.now();
mkdirSync(join(ROOT, 'dist'), { recursive: true });
const partial = `${OUTFILE}.partial`;
const result = await Bun.build({
  entrypoints: ['cmd/gantry/main.ts', ...workerEntries()].map((file) => join(ROOT, file)),
  root: ROOT,
  compile: { outfile: partial },
  splitting: true,
  bytecode: true,
  minify: true,
  format: 'esm',
  define: {
    'globalThis.GANTRY_VERSION': JSON.stringify(packageJson.version),
    'globalThis.GANTRY_COMMIT': JSON.stringify(commit()),
    'globalThis.GANTRY_BUILD_TIME': JSON.stringify(new Date().toISOString()),
  },
});
if (!result.success) {
  for (const message of result.logs) console.error(String(message));
  process.exit(1);
}
// A daemon may be running from the old file: it keeps it, the name gets the new one.
renameSync(partial, OUTFILE);
const megabytes = (statSync(OUTFILE).size / 1e6).toFixed(0);
console.error(
  `==> built dist/gantry (${megabytes} MB, ${((performance.now() - started) / 1000).toFixed(1)} s)`,
);
