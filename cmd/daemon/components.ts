import type { Runtime } from '#runtime';
import type { EngineVersion } from '#server';

type Components = EngineVersion['components'];

const ASK_MS = 5000;

/** Asks each program the engine runs on for its version, at the same time. One that does not answer is left out. */
export async function readComponents(runtime: Runtime): Promise<Components> {
  const programs = [
    ...Object.entries(runtime.runtimes).map(([name, { path }]) => ({ name, path })),
    { name: 'conmon', path: 'conmon' },
  ];
  const found = await Promise.all(programs.map(({ name, path }) => readVersion(name, path)));
  return found.filter((component) => component !== undefined);
}

async function readVersion(name: string, path: string): Promise<Components[number] | undefined> {
  try {
    const child = Bun.spawn([path, '--version'], {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'ignore',
      timeout: ASK_MS,
    });
    const text = await new Response(child.stdout).text();
    const version = /version:? +(\S+)/i.exec(text)?.[1];
    if ((await child.exited) !== 0 || version === undefined) return undefined;
    const commit = /commit: +(\S+)/i.exec(text)?.[1];
    return { name, version, details: commit === undefined ? {} : { GitCommit: commit } };
  } catch {
    return undefined;
  }
}
