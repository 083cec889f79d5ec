import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestDaemon } from '../harness/daemon.ts';
import { eventually } from '../harness/eventually.ts';
import { type Client, must } from '../harness/programs.ts';
import { call } from './api.ts';

export interface RestartStormReport {
  readonly containers: number;
  /** From the start of the daemon to its first answer, and to the last container running. Milliseconds. */
  readonly firstAnswerMs: number;
  readonly allUpMs: number;
  /** Of `ps` while the containers were being started. */
  readonly latenciesMs: readonly number[];
  /** Some containers join the network of another one, which has to be up before them. */
  readonly joined: number;
  readonly problems: readonly string[];
}

/**
 * Makes `containers` always-restart containers (every tenth one shares the network of another), ends everything as a power
 * cut does, and starts the daemon: all have to come up, and the daemon has to answer meanwhile. R15.
 */
export async function restartAll(options: {
  readonly daemon: TestDaemon;
  readonly client: Client;
  readonly containers: number;
  readonly onProgress?: (done: number) => void;
}): Promise<RestartStormReport> {
  const { daemon, client, containers } = options;
  const { host } = daemon;
  const ids: string[] = [];
  for (let index = 0; index < containers; index += 1) {
    const donor = index % 10 === 9 ? ids[index - 3] : undefined;
    const flags = donor === undefined ? [] : ['--network', `container:${donor}`];
    const id = await must(
      client,
      ['run', '-d', '--restart', 'always', ...flags, 'busybox', 'sleep', '100000'],
      { host },
    );
    ids.push(id);
    options.onProgress?.(index + 1);
  }
  await cutPower(daemon);
  const start = performance.now();
  await daemon.restart();
  const firstAnswerMs = performance.now() - start;
  const latenciesMs: number[] = [];
  const problems: string[] = [];
  await waitUntilUp(host, containers, latenciesMs).catch((error: Error) => problems.push(error.message));
  const allUpMs = performance.now() - start;
  const joined = containers >= 10 ? Math.floor(containers / 10) : 0;
  if (
    containers >= 10 &&
    (await networksOf(daemon, ids[9] ?? '')) !== (await networksOf(daemon, ids[6] ?? ''))
  )
    problems.push('a container is not in the network of the one it joined');
  await must(client, ['rm', '-f', ...ids], { host });
  return { containers, firstAnswerMs, allUpMs, latenciesMs, joined, problems };
}

/** As long as there is progress, it goes on. */
async function waitUntilUp(host: string, containers: number, latenciesMs: number[]): Promise<void> {
  for (let up = -1; up < containers; ) {
    up = await eventually(`more than ${up} of ${containers} running`, async () => {
      const start = performance.now();
      const { text } = await call(host, 'GET', '/containers/json');
      latenciesMs.push(performance.now() - start);
      const now = (JSON.parse(text) as unknown[]).length;
      return now > up || now === containers ? now : undefined;
    });
  }
}

async function networksOf({ host }: TestDaemon, id: string): Promise<string> {
  const { text } = await call(host, 'GET', `/containers/${id}/json`);
  const pid: number = JSON.parse(text).State.Pid;
  return Bun.spawnSync(['readlink', `/proc/${pid}/ns/net`]).stdout.toString();
}

/** What a power cut leaves: the data root. No process, no mount, nothing below the execution root, no bridge. */
export async function cutPower(daemon: TestDaemon): Promise<void> {
  await daemon.crash();
  const { dataRoot, execRoot } = daemon;
  const tasks = existsSync(`${execRoot}/tasks`) ? readdirSync(`${execRoot}/tasks`) : [];
  const records = tasks.flatMap((id) =>
    ['task.json', 'task.json.copy'].map((name) => `${execRoot}/tasks/${id}/${name}`),
  );
  const pids = [...new Set(records.flatMap(processesOf))];
  const cgroups = [...new Set([...records.flatMap(cgroupsOf), ...hierarchiesOf(daemon.cgroupParent)])];
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Went with another one.
    }
  }
  await eventually('all processes to end', () => pids.every((pid) => !existsSync(`/proc/${pid}/root`)));
  const targets = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) =>
      [dataRoot, execRoot].some((root) => target === root || target.startsWith(`${root}/`)),
    );
  for (const target of targets.toReversed()) Bun.spawnSync(['umount', '-l', target]);
  for (const cgroup of cgroups) await eventually('the cgroups to go', () => removeCgroup(cgroup));
  rmSync(execRoot, { recursive: true, force: true });
}

/** The container's cgroup in every hierarchy that has it. */
function cgroupsOf(record: string): string[] {
  try {
    return hierarchiesOf(JSON.parse(readFileSync(record, 'utf8')).cgroupsPath);
  } catch {
    return [];
  }
}

/** A cgroup in every hierarchy that has it. */
function hierarchiesOf(path: string): string[] {
  const roots = ['.', ...readdirSync('/sys/fs/cgroup')].map((name) => join('/sys/fs/cgroup', name));
  return roots.map((root) => join(root, path)).filter((directory) => existsSync(directory));
}

/** With those below it. False while the kernel still takes a process for alive. */
function removeCgroup(path: string): boolean {
  if (!existsSync(path)) return true;
  const below = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  if (!below.every(({ name }) => removeCgroup(join(path, name)))) return false;
  try {
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}

function processesOf(record: string): number[] {
  try {
    const { init, monitor } = JSON.parse(readFileSync(record, 'utf8'));
    return [monitor.pid, init.pid];
  } catch {
    return [];
  }
}
