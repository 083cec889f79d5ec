import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSys } from '#sys';
import { startDaemon } from '../tests/harness/daemon.ts';
import { type Client, dockerClients, GANTRY, must, run } from '../tests/harness/programs.ts';

/** One of the two engines under measurement, with the client that its users type. */
export interface Engine extends AsyncDisposable {
  readonly name: 'gantry' | 'reference';
  readonly host: string;
  readonly client: Client;
  /** Processes of the engine that run while no container does. */
  daemonPids(): number[];
  /** Processes of the engine that run for containers (monitors). */
  monitorPids(): number[];
}

const REFERENCE_TOOL =
  process.env['GANTRY_REFERENCE_ENGINE'] ?? join(import.meta.dir, '../../shared/tools/reference-engine');

/** Starts our daemon with the busybox image. Its exec root is below /run. */
export async function startGantry(flags: readonly string[] = []): Promise<Engine> {
  const daemon = await startDaemon({ flags: ['--log-level', 'info', ...flags] });
  const client = { name: 'gantry', path: GANTRY };
  await must(client, ['image', 'bootstrap', 'busybox'], { host: daemon.host });
  return {
    name: 'gantry',
    host: daemon.host,
    client,
    daemonPids: () => [daemon.pid],
    monitorPids: () => processesNamed('conmon', daemon.execRoot),
    [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose](),
  };
}

/** Starts the reference engine with the same image. Undefined where there is none, with the reason printed. */
export async function startReference(image: string): Promise<Engine | undefined> {
  if (!existsSync(REFERENCE_TOOL)) {
    console.error(`no reference engine: ${REFERENCE_TOOL} is missing (set GANTRY_REFERENCE_ENGINE)`);
    return undefined;
  }
  const directory = mkdtempSync(join(tmpdir(), 'gantry-reference-'));
  // In memory, as ours is.
  const execRoot = join(directory, 'exec');
  mkdirSync(execRoot);
  const { mounts } = createSys();
  mounts.mount({ source: 'exec', target: execRoot, fstype: 'tmpfs', data: 'mode=711' });
  const started = Bun.spawnSync([REFERENCE_TOOL, 'start', directory], { stderr: 'inherit' });
  const host = started.stdout.toString().trim();
  const client = dockerClients()[0];
  if (started.exitCode !== 0 || client === undefined) throw new Error('the reference engine did not start');
  await must(client, ['load', '-i', image], { host });
  return {
    name: 'reference',
    host,
    client,
    daemonPids: () => [...processesNamed('dockerd', directory), ...processesNamed('containerd', directory)],
    monitorPids: () => processesNamed('containerd-shim', directory),
    [Symbol.asyncDispose]: async () => {
      await removeAll(client, host);
      Bun.spawnSync([REFERENCE_TOOL, 'stop', directory], { stdio: ['ignore', 'ignore', 'inherit'] });
      mounts.unmount(execRoot, { detach: true });
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Removes every container of the engine. */
export async function removeAll(client: Client, host: string): Promise<void> {
  const { stdout } = await run(client, ['ps', '-aq'], { host });
  const ids = stdout.split('\n').filter(Boolean);
  for (let at = 0; at < ids.length; at += 50)
    await run(client, ['rm', '-f', ...ids.slice(at, at + 50)], { host });
}

/** PIDs of processes whose program is called `name…` and whose command line mentions `mark`. */
function processesNamed(name: string, mark: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
        const program = command[0]?.split('/').at(-1) ?? '';
        return program.startsWith(name) && command.some((word) => word.includes(mark));
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** Sum of a field of /proc/PID/smaps_rollup (kB) over processes: `Pss` or `Rss`. */
export function memoryKb(pids: readonly number[], field: 'Pss' | 'Rss'): number {
  return pids
    .map((pid) => {
      const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
    })
    .reduce((sum, kb) => sum + kb, 0);
}
