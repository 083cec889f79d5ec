import { createServer } from 'node:net';
import type { TestDaemon } from '../harness/daemon.ts';
import { eventually } from '../harness/eventually.ts';
import { type Client, must, run } from '../harness/programs.ts';
import { callJson } from './api.ts';

export interface PublishedPortsReport {
  readonly ports: number;
  readonly restarts: number;
  readonly problems: readonly string[];
}

const PER_CONTAINER = 5;
const SERVER = 'mkdir /www; echo served > /www/index.html; exec httpd -f -p 80 -h /www';

/**
 * Publishes `ports` ports (every fifth one is served, each has a socket of the engine), and then again and again: ends some
 * containers, kills the daemon, ends one more while no daemon runs, and starts a successor. After each start the
 * ports in use have to be those of the containers that run: no other one is held, and those freed can be used by other
 * programs and by new containers at once. R8.
 */
export async function restartWithPublishedPorts(options: {
  readonly daemon: TestDaemon;
  readonly client: Client;
  readonly ports: number;
  readonly restarts: number;
  readonly onProgress?: (done: number) => void;
}): Promise<PublishedPortsReport> {
  const { daemon, client } = options;
  const { host } = daemon;
  const problems: string[] = [];
  const count = Math.ceil(options.ports / PER_CONTAINER);
  const foreign = new Set(listening());
  const live = new Map<string, number[]>();
  const start = async (fixed: readonly number[] = []): Promise<void> => {
    const host_ = (index: number) => fixed[index] ?? 0;
    const flags = Array.from({ length: PER_CONTAINER }, (_, index) => [
      '-p',
      `${host_(index)}:${80 + index}`,
    ]).flat();
    const id = await must(client, ['run', '-d', ...flags, 'busybox', 'sh', '-c', SERVER], { host });
    live.set(id, await portsOf(host, id));
  };
  for (let index = 0; index < count; index += 1) await start();
  for (let restart = 0; restart < options.restarts; restart += 1) {
    const [killed = '', orphaned = ''] = live.keys();
    const freed = [...(live.get(killed) ?? []), ...(live.get(orphaned) ?? [])];
    const pid = await pidOf(host, orphaned);
    await must(client, ['kill', killed], { host });
    await daemon.crash();
    process.kill(pid, 'SIGKILL');
    await daemon.restart();
    await eventually(
      'the end of the container that died unseen',
      async () => (await pidOf(host, orphaned)) === 0,
    );
    live.delete(killed);
    live.delete(orphaned);
    const wanted = [...live.values()].flat();
    problems.push(...(await compare(restart, wanted, foreign)));
    problems.push(...(await checkServed([...live.values()], restart)));
    const bound = await Promise.all(freed.map(bindOnce));
    const held = freed.filter((_, index) => !bound[index]);
    if (held.length > 0) problems.push(`restart ${restart}: still held: ${held.join(' ')}`);
    // The very same ports for a new container, one of the old ones started again on its own.
    await start(freed.slice(0, PER_CONTAINER));
    await must(client, ['start', orphaned], { host }).then(async () =>
      live.set(orphaned, await portsOf(host, orphaned)),
    );
    await must(client, ['rm', killed], { host });
    options.onProgress?.(restart + 1);
  }
  await must(client, ['rm', '-f', ...live.keys()], { host });
  const left = listening().filter((port) => !foreign.has(port));
  if (left.length > 0) problems.push(`still listening after all was removed: ${left.join(' ')}`);
  await run(client, ['ps', '-a'], { host });
  return { ports: count * PER_CONTAINER, restarts: options.restarts, problems };
}

interface Inspected {
  readonly State: { readonly Pid: number };
  readonly NetworkSettings: {
    readonly Ports: Readonly<Record<string, readonly { readonly HostPort: string }[] | null>>;
  };
}

const inspect = (host: string, id: string): Promise<Inspected> =>
  callJson<Inspected>(host, 'GET', `/containers/${id}/json`);

const pidOf = async (host: string, id: string): Promise<number> => (await inspect(host, id)).State.Pid;

/** Host ports by container port, the served one first. */
async function portsOf(host: string, id: string): Promise<number[]> {
  const { Ports } = (await inspect(host, id)).NetworkSettings;
  return Object.keys(Ports)
    .toSorted()
    .flatMap((key) => [...new Set((Ports[key] ?? []).map(({ HostPort }) => Number(HostPort)))]);
}

/** TCP ports of this network namespace on which something listens. */
function listening(): number[] {
  const listed = Bun.spawnSync(['ss', '-Hltn']).stdout.toString();
  const ports = [...listed.matchAll(/^LISTEN\s+\d+\s+\d+\s+\S*:(\d+)\s/gm)].map((match) => Number(match[1]));
  return [...new Set(ports)];
}

async function compare(
  restart: number,
  wanted: readonly number[],
  foreign: ReadonlySet<number>,
): Promise<string[]> {
  const problem = (): string | undefined => {
    const held = listening().filter((port) => !foreign.has(port));
    const orphans = held.filter((port) => !wanted.includes(port));
    const missing = wanted.filter((port) => !held.includes(port));
    return orphans.length + missing.length === 0
      ? undefined
      : `restart ${restart}: held without a container: ${orphans.join(' ')}; not held: ${missing.join(' ')}`;
  };
  // The end of a container is handled behind the start of the daemon.
  await eventually('ports to settle', () => problem() === undefined).catch(() => {});
  const last = problem();
  return last === undefined ? [] : [last];
}

async function checkServed(ports: readonly (readonly number[])[], restart: number): Promise<string[]> {
  const served = await Promise.all(
    ports.map(async ([port]) => {
      const ask = async () => (await fetch(`http://127.0.0.1:${port}/`, { keepalive: false })).text();
      const answer = await eventually(`port ${port}`, ask).catch(() => '');
      return answer === 'served\n' ? [] : [`restart ${restart}: port ${port} does not answer`];
    }),
  );
  return served.flat();
}

function bindOnce(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
  });
}
