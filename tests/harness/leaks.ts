import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** What a test run must leave as it found it, by kind. Each entry is a line of text that names one thing. */
export type Inventory = Readonly<Record<string, readonly string[]>>;

const PROCESS_NAMES = new Set(['conmon', 'crun', 'runc', 'gantry', 'bun']);

/** Takes stock of mounts, interfaces, namespaces, cgroups, nft tables and engine processes of this machine. */
export function takeInventory(): Inventory {
  return {
    mount: mounts(),
    interface: interfaces(),
    'network namespace': namespaces(),
    cgroup: cgroups(),
    'nft table': nftTables(),
    process: engineProcesses(),
    'state directory': stateDirectories(),
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

function mounts(): string[] {
  return readFileSync('/proc/self/mountinfo', 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').slice(3, 5).join(' '));
}

function namespaces(): string[] {
  const seen = new Set<string>();
  for (const pid of pids()) {
    const link = attempt(() => readlinkSync(`/proc/${pid}/ns/net`));
    if (link) seen.add(link);
  }
  return [...seen];
}

function cgroups(): string[] {
  const roots = readdirSync('/sys/fs/cgroup').map((name) => `/sys/fs/cgroup/${name}`);
  return [...roots, '/sys/fs/cgroup'].flatMap((root) =>
    ['gantry', 'gantry-test'].map((name) => `${root}/${name}`).flatMap(childDirectories),
  );
}

function childDirectories(path: string): string[] {
  const entries = attempt(() => readdirSync(path, { withFileTypes: true })) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map((entry) => `${path}/${entry.name}`);
}

function nftTables(): string[] {
  const listed = attempt(() => execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }));
  return (listed ?? '').trimEnd().split('\n').filter(Boolean);
}

function engineProcesses(): string[] {
  return pids()
    .map((pid) => ({ pid, name: attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8').trim()) ?? '' }))
    .filter(({ name, pid }) => PROCESS_NAMES.has(name) && !isZombie(pid))
    .map(({ pid, name }) => `${name} (pid ${pid}) ${commandLine(pid)}`);
}

const isZombie = (pid: string): boolean =>
  /\) Z /.test(attempt(() => readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? ') Z ');

const commandLine = (pid: string): string =>
  (attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? '').replaceAll('\0', ' ').slice(0, 120);

function stateDirectories(): string[] {
  return ['/run', '/tmp', '/var/lib'].flatMap((parent) =>
    (attempt(() => readdirSync(parent)) ?? [])
      .filter((name) => name.startsWith('gantry-test'))
      .map((name) => `${parent}/${name}`),
  );
}

const pids = (): string[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name));

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
