import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { RUN_VARIABLE, type TestRun } from './test-run.ts';

/** What a test run must leave as it found it, by kind. Each entry is a line of text that names one thing. */
export type Inventory = Readonly<Record<string, readonly string[]>>;

/**
 * Takes stock of what belongs to a run: mounts, cgroups, directories, processes and their network namespaces that bear its
 * name, and what is in the network namespace of this process, which has to be the run's own. What others do on the
 * machine at the same time, another run too, is not in it.
 */
export function takeInventory(run: TestRun): Inventory {
  const processes = processesOf(run);
  return {
    mount: mounts(run),
    interface: interfaces(),
    'network namespace': namespaces(processes),
    cgroup: cgroups(run),
    'nft table': nftTables(),
    process: processes.map((pid) => `${nameOf(pid)} (pid ${pid}) ${commandLine(pid)}`),
    directory: directories(run),
  };
}

/** What `after` has that `before` had not, as `kind: thing` lines. */
export function findLeaks(before: Inventory, after: Inventory): string[] {
  return Object.entries(after).flatMap(([kind, things]) => {
    const known = new Set(before[kind]);
    return things.filter((thing) => !known.has(thing)).map((thing) => `${kind}: ${thing}`);
  });
}

/** /sys/class/net shows the namespace that mounted it; ours is what we ask the kernel for. */
function interfaces(): string[] {
  const listed = execFileSync('ip', ['-json', 'link'], { encoding: 'utf8' });
  return (JSON.parse(listed) as { readonly ifname: string }[]).map(({ ifname }) => ifname);
}

/** Mounts at a path of the run's or of one. Network namespaces that are kept are mounts, too. */
function mounts({ name }: TestRun): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').slice(3, 5).join(' '))
    .filter((paths) => paths.includes(name));
}

function namespaces(processes: readonly string[]): string[] {
  const seen = new Set<string>();
  for (const pid of processes) {
    const link = networkNamespace(pid);
    if (link) seen.add(link);
  }
  return [...seen];
}

const networkNamespace = (pid: string): string | undefined =>
  attempt(() => readlinkSync(`/proc/${pid}/ns/net`));

/** Cgroups in every hierarchy: those that daemons put containers in, and the containers'. */
function cgroups({ name }: TestRun): string[] {
  const hierarchies = ['/sys/fs/cgroup', ...childDirectories('/sys/fs/cgroup')];
  return hierarchies
    .flatMap(childDirectories)
    .filter((path) => path.includes(`/${name}-`))
    .flatMap((path) => [path, ...childDirectories(path)]);
}

function childDirectories(path: string): string[] {
  const entries = attempt(() => readdirSync(path, { withFileTypes: true })) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map((entry) => `${path}/${entry.name}`);
}

function nftTables(): string[] {
  const listed = attempt(() => execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }));
  return (listed ?? '').trimEnd().split('\n').filter(Boolean);
}

/**
 * Processes that belong to the run: its name is in their environment, which children inherit, or, where that is not passed on
 * (monitors, containers, clients), in their command line or cgroup; or they are in the run's network namespace.
 */
function processesOf({ name }: TestRun): string[] {
  const own = readlinkSync('/proc/self/ns/net');
  const isOf = (pid: string): boolean =>
    read(pid, 'environ').split('\0').includes(`${RUN_VARIABLE}=${name}`) ||
    read(pid, 'cmdline').includes(name) ||
    read(pid, 'cgroup').includes(`/${name}-`) ||
    networkNamespace(pid) === own;
  return readdirSync('/proc').filter((entry) => /^\d+$/.test(entry) && !isZombie(entry) && isOf(entry));
}

const isZombie = (pid: string): boolean => /\) Z /.test(read(pid, 'stat') || ') Z ');

const nameOf = (pid: string): string => read(pid, 'comm').trim();
const commandLine = (pid: string): string => read(pid, 'cmdline').replaceAll('\0', ' ').slice(0, 120);

/** A file of a process; empty when that has gone. */
const read = (pid: string, file: string): string =>
  attempt(() => readFileSync(`/proc/${pid}/${file}`, 'utf8')) ?? '';

/** What is left in the run's own directory, and what bears its name where else things are put. */
function directories({ name, directory }: TestRun): string[] {
  const left = attempt(() => readdirSync(directory)) ?? [];
  const elsewhere = ['/run', '/tmp', '/var/tmp', '/var/lib'].flatMap((parent) =>
    (attempt(() => readdirSync(parent)) ?? [])
      .filter((entry) => entry.startsWith(`${name}-`))
      .map((entry) => `${parent}/${entry}`),
  );
  return [...left.map((entry) => `${directory}/${entry}`), ...elsewhere];
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
