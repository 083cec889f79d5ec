import { readdirSync, readFileSync } from 'node:fs';
import type { TestDaemon } from '../harness/daemon.ts';
import { type Client, clientEnvironment, must } from '../harness/programs.ts';

export interface MountLeaksReport {
  readonly cycles: number;
  /** Mount points and paths that were not there before the cycles. */
  readonly left: readonly string[];
}

/**
 * Cycles of create, start, exec, export and removal while foreign mount namespaces are opened in between, each of which
 * holds a copy of every mount it saw. The mount table and the data root have to be as before; so must those of the
 * foreign namespaces, as far as they are the engine's. R6.
 */
export async function cycleWithForeignNamespaces(options: {
  readonly daemon: TestDaemon;
  readonly client: Client;
  readonly cycles: number;
  readonly onProgress?: (done: number) => void;
}): Promise<MountLeaksReport> {
  const { daemon, client } = options;
  const { host } = daemon;
  const env = clientEnvironment({ host });
  const before = stateOf(daemon);
  await using foreign = new ForeignNamespaces();
  for (let cycle = 0; cycle < options.cycles; cycle += 1) {
    const flags = ['-v', '/data', '--tmpfs', '/scratch', '--ipc', 'shareable'];
    const id = await must(client, ['create', ...flags, 'busybox', 'sleep', '1000'], { host });
    if (cycle % 5 === 0) await foreign.open();
    await must(client, ['start', id], { host });
    if (cycle % 5 === 1) await foreign.open();
    await must(client, ['exec', id, 'sh', '-c', 'echo x > /x; echo y > /data/y; rm /bin/vi'], { host });
    await Bun.$`${client.path} export ${id} | cat > /dev/null`.env(env).quiet();
    if (cycle % 5 === 2) await foreign.open();
    if (cycle % 2 === 0) await must(client, ['stop', '-t', '0', id], { host });
    if (cycle % 4 === 0) await Bun.$`${client.path} export ${id} | cat > /dev/null`.env(env).quiet();
    await must(client, ['rm', '-f', '-v', id], { host });
    options.onProgress?.(cycle + 1);
  }
  // Deleting goes on in the background; a clean stop waits for it.
  await daemon.stop();
  const stopped = stateOf(daemon);
  const left = [...difference(stopped.mounts, before.mounts), ...difference(stopped.paths, before.paths)];
  // The roots' own binds are copied by whoever unshares; they hold nothing of a container.
  const roots = [daemon.dataRoot, daemon.execRoot];
  const abroad = foreign.mounts().filter((line) => {
    const target = line.split(' ')[1] ?? '';
    return roots.some((root) => target.startsWith(`${root}/`));
  });
  await daemon.restart();
  return { cycles: options.cycles, left: [...left, ...abroad] };
}

interface State {
  readonly mounts: readonly string[];
  readonly paths: readonly string[];
}

/** Databases and logs change; what counts is which directories there are. */
function stateOf({ dataRoot, execRoot }: TestDaemon): State {
  const below = [
    ...[
      'overlay2/snapshots',
      'overlay2/layers',
      'overlay2/trash',
      'overlay2/staging',
      'containers',
      'volumes',
    ],
    ...['content/ingest', 'content/blobs/sha256'],
  ];
  return {
    mounts: mountsOf('self').filter((line) => line.includes(dataRoot) || line.includes(execRoot)),
    paths: [
      ...below.flatMap((path) => namesIn(`${dataRoot}/${path}`)),
      ...['tasks', 'exits', 'state/crun', 'netns'].flatMap((path) => namesIn(`${execRoot}/${path}`)),
    ],
  };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => `${directory}/${name}`);
  } catch {
    return [];
  }
}

const mountsOf = (pid: number | 'self'): string[] =>
  readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split(' ').slice(3, 5).join(' '));

const difference = (now: readonly string[], before: readonly string[]): string[] => {
  const known = new Set(before);
  return now.filter((entry) => !known.has(entry));
};

/** At most ten namespaces, as services with PrivateMounts or other engines have them; the oldest goes first. */
class ForeignNamespaces implements AsyncDisposable {
  readonly #holders: Bun.Subprocess[] = [];

  async open(): Promise<void> {
    const holder = Bun.spawn(['unshare', '-m', 'sh', '-c', 'echo ready; exec sleep 10000'], {
      stdout: 'pipe',
    });
    await holder.stdout.getReader().read();
    this.#holders.push(holder);
    if (this.#holders.length > 10) await this.#end(this.#holders.shift());
  }

  mounts(): string[] {
    return this.#holders.flatMap(({ pid }) => mountsOf(pid));
  }

  async #end(holder: Bun.Subprocess | undefined): Promise<void> {
    holder?.kill('SIGKILL');
    await holder?.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#holders.map((holder) => this.#end(holder)));
  }
}
