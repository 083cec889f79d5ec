import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestDaemon } from '../harness/daemon.ts';
import { eventually } from '../harness/eventually.ts';
import { type Client, clientEnvironment, must, run } from '../harness/programs.ts';
import { call, callJson, socketPath } from './api.ts';

/** A runtime that can be frozen in the middle of a container: a script in front of crun. */
export interface FreezableRuntime extends Disposable {
  readonly name: 'freezable';
  /** For `gantry daemon`. */
  readonly flags: readonly string[];
  /** From now on calls of these runtime commands wait. */
  freeze(...commands: readonly string[]): void;
  thaw(): void;
}

export function createFreezableRuntime(): FreezableRuntime {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-test-runtime-'));
  const path = join(directory, 'freezable');
  const switchFile = join(directory, 'frozen');
  const script = `#!/bin/sh
for word in "$@"; do
  while grep -qx -- "$word" ${switchFile} 2>/dev/null; do sleep 0.05; done
done
exec /usr/bin/crun "$@"
`;
  writeFileSync(path, script, { mode: 0o755 });
  const thaw = () => rmSync(switchFile, { force: true });
  return {
    name: 'freezable',
    flags: ['--add-runtime', `freezable=${path}`],
    freeze: (...commands) => writeFileSync(switchFile, `${commands.join('\n')}\n`),
    thaw,
    [Symbol.dispose]: () => {
      thaw();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export interface StuckReport {
  /** What was stuck at the same time. */
  readonly stuck: readonly string[];
  /** Milliseconds of each kind of request beside it. */
  readonly latencies: Readonly<Record<string, readonly number[]>>;
  readonly problems: readonly string[];
}

/**
 * The shortest deadline the engine gives a call of the runtime is 20 s; then it gives the start up, rightly. What is stuck is
 * let go before, so that it can be asked to end well.
 */
const STUCK_FOR_MS = 8000;

/**
 * Freezes, all at once: a runtime in `create`, one in `start`, one in `delete`, the monitor of a running container (SIGSTOP),
 * clients that attach to a writer and follow a log and never read, and a paused container somebody waits for. Beside
 * that, `rounds` times everything a user does to other containers; every few seconds all go on and are frozen anew. R4.
 */
export async function workBesideStuckParts(options: {
  readonly daemon: TestDaemon;
  readonly client: Client;
  readonly runtime: FreezableRuntime;
  readonly rounds: number;
  readonly onProgress?: (done: number) => void;
}): Promise<StuckReport> {
  const { daemon, client, runtime } = options;
  const problems: string[] = [];
  const neighbour = new Neighbour(daemon.host, client, problems);
  let names: readonly string[] = [];
  const steps = options.rounds * neighbour.steps.length;
  for (let step = 0; step < steps; ) {
    await using stuck = new StuckParts(daemon, client, runtime);
    names = stuck.names;
    await stuck.build();
    const letGoAt = performance.now() + STUCK_FOR_MS;
    await neighbour.begin();
    do {
      await neighbour.steps[step % neighbour.steps.length]?.(stuck.ids());
      step += 1;
      options.onProgress?.(Math.floor(step / neighbour.steps.length));
    } while (step < steps && performance.now() < letGoAt);
    await neighbour.end();
    problems.push(...(await stuck.release()));
  }
  return { stuck: names, latencies: neighbour.latencies, problems };
}

/** A user of the same engine, of other containers than the stuck ones; measures every request. */
class Neighbour {
  readonly latencies: Record<string, number[]> = {};
  readonly #host: string;
  readonly #client: Client;
  readonly #problems: string[];
  #container = '';

  constructor(host: string, client: Client, problems: string[]) {
    this.#host = host;
    this.#client = client;
    this.#problems = problems;
  }

  async begin(): Promise<void> {
    this.#container = await this.#must('run', '-d', 'busybox', 'sh', '-c', 'echo up; exec sleep 1000');
    await eventually('its words', async () => (await this.#must('logs', this.#container)) === 'up');
  }

  async end(): Promise<void> {
    await this.#must('rm', '-f', this.#container);
  }

  /**
   * One round: lists and inspects ten times, then everything else once. In parts, since however slow the machine is the
   * stuck ones have to be let go between two of them.
   */
  readonly steps: readonly ((stuckIds: readonly string[]) => Promise<void>)[] = [
    ...Array.from({ length: 10 }, () => (stuckIds: readonly string[]) => this.#look(stuckIds)),
    () => this.#cli('run --rm', ['run', '--rm', 'busybox', 'echo', 'here'], 'here'),
    () => this.#cli('exec', ['exec', this.#container, 'echo', 'here'], 'here'),
    () => this.#cli('logs', ['logs', this.#container], 'up'),
    () => this.#cli('restart', ['restart', '-t', '0', this.#container], this.#container),
    async () => {
      await this.#must('stop', '-t', '0', this.#container);
      await this.#must('rm', this.#container);
      await this.begin();
    },
  ];

  async #look(stuckIds: readonly string[]): Promise<void> {
    await this.#get('ps', '/containers/json?all=1', (text) => stuckIds.every((id) => text.includes(id)));
    await this.#get('info', '/info', (text) => text.includes('"Containers":'));
    for (const id of stuckIds)
      await this.#get('inspect of a stuck one', `/containers/${id}/json`, (text) => text.includes(id));
    await this.#get('inspect', `/containers/${this.#container}/json`, (text) =>
      text.includes('"Running":true'),
    );
    await this.#get('images', '/images/json', (text) => text.includes('busybox'));
  }

  #must(...args: string[]): Promise<string> {
    return must(this.#client, args, { host: this.#host });
  }

  #get(what: string, path: string, expected: (text: string) => boolean): Promise<void> {
    return this.#measure(what, async () => {
      const { status, text } = await call(this.#host, 'GET', path);
      return status === 200 && expected(text) ? undefined : `${status} ${text.slice(0, 200)}`;
    });
  }

  #cli(what: string, args: readonly string[], expected: string): Promise<void> {
    return this.#measure(what, async () => {
      const { code, stdout, stderr } = await run(this.#client, args, { host: this.#host });
      return code === 0 && stdout.trim() === expected ? undefined : `${code} ${stdout}${stderr}`;
    });
  }

  async #measure(what: string, action: () => Promise<string | undefined>): Promise<void> {
    const start = performance.now();
    const problem = await action();
    this.latencies[what] = [...(this.latencies[what] ?? []), performance.now() - start];
    if (problem !== undefined) this.#problems.push(`${what}: ${problem}`);
  }
}

/** A writer that is full of output at once and ends by itself: 8 MB. */
const WRITER = 'head -c 8388608 /dev/zero | tr "\\0" x; echo done; exec sleep 1000';

/** Ends at once when it is asked to, and can. */
const OBEDIENT = 'trap "exit 0" TERM; while :; do sleep 0.05; done';

class StuckParts implements AsyncDisposable {
  readonly names = [
    'runtime in create',
    'runtime in start',
    'runtime in delete',
    'monitor stopped (SIGSTOP)',
    'attach client that does not read',
    'logs client that does not read',
    'paused container',
  ];
  readonly #daemon: TestDaemon;
  readonly #client: Client;
  readonly #runtime: FreezableRuntime;
  readonly #sockets: Socket[] = [];
  readonly #ended: Promise<{ readonly what: string; readonly code: number }>[] = [];
  readonly #ids: Record<string, string> = {};
  #monitor = 0;

  constructor(daemon: TestDaemon, client: Client, runtime: FreezableRuntime) {
    this.#daemon = daemon;
    this.#client = client;
    this.#runtime = runtime;
  }

  ids(): string[] {
    return Object.values(this.#ids);
  }

  async build(): Promise<void> {
    const { host, execRoot } = this.#daemon;
    const must_ = (...args: string[]) => must(this.#client, args, { host });
    const running = (...flags: string[]) => must_('run', '-d', ...flags, 'busybox', 'sleep', '1000');
    this.#ids['stopped monitor'] = await running();
    this.#ids['paused'] = await must_('run', '-d', 'busybox', 'sh', '-c', OBEDIENT);
    this.#ids['in delete'] = await running('--runtime', 'freezable');
    this.#ids['in start'] = await must_('create', '--runtime', 'freezable', 'busybox', 'sleep', '1000');
    this.#ids['in create'] = await must_('create', '--runtime', 'freezable', 'busybox', 'sleep', '1000');
    this.#ids['writer'] = await must_('create', 'busybox', 'sh', '-c', WRITER);
    await must_('pause', this.#ids['paused']);

    this.#runtime.freeze('start');
    this.#begin('in start', 'start', this.#ids['in start']);
    await eventually('the start to hang', () => daemonRuns(this.#ids['in start'] ?? '', 'start'));
    this.#runtime.freeze('create', 'start', 'delete');
    this.#begin('in create', 'start', this.#ids['in create']);
    this.#begin('in delete', 'rm', '-f', this.#ids['in delete']);

    const record = JSON.parse(
      readFileSync(`${execRoot}/tasks/${this.#ids['stopped monitor']}/task.json`, 'utf8'),
    );
    this.#monitor = record.monitor.pid;
    process.kill(this.#monitor, 'SIGSTOP');
    // Nobody can take its end while its monitor stands.
    process.kill(record.init.pid, 'SIGKILL');

    const writer = this.#ids['writer'];
    await this.#openSilently(`/containers/${writer}/attach?stream=1&stdout=1&stderr=1`, 'POST');
    await must_('start', writer);
    await this.#openSilently(`/containers/${writer}/logs?follow=1&stdout=1`, 'GET');
    this.#begin('paused', 'wait', this.#ids['paused']);
  }

  /** A client whose end is awaited later. */
  #begin(what: string, ...args: string[]): void {
    const { host } = this.#daemon;
    const child = Bun.spawn([this.#client.path, ...args], {
      env: clientEnvironment({ host }),
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    this.#ended.push(child.exited.then((code) => ({ what, code })));
  }

  /** A client that sends its request and never reads again. */
  async #openSilently(path: string, method: string): Promise<void> {
    const socket = connect({ path: socketPath(this.#daemon.host) });
    socket.on('error', () => {});
    this.#sockets.push(socket);
    await new Promise((resolve) => socket.once('connect', resolve));
    const upgrade = method === 'POST' ? 'Upgrade: tcp\r\nConnection: Upgrade\r\n' : '';
    socket.write(`${method} /v1.41${path} HTTP/1.1\r\nHost: x\r\n${upgrade}Content-Length: 0\r\n\r\n`);
    await new Promise((resolve) => socket.once('data', resolve));
    socket.pause();
  }

  /** Everything goes on, and nothing is lost: what hung ends well, and states are true. */
  async release(): Promise<string[]> {
    const { host } = this.#daemon;
    const problems: string[] = [];
    this.#thaw();
    await must(this.#client, ['unpause', this.#ids['paused'] ?? ''], { host });
    await must(this.#client, ['stop', this.#ids['paused'] ?? ''], { host });
    for (const { what, code } of await Promise.all(this.#ended)) {
      if (code !== 0) problems.push(`${what}: the client ended with ${code} after all went on`);
    }
    interface State {
      readonly Running: boolean;
      readonly ExitCode: number;
    }
    const stateOf = async (what: string) =>
      (await callJson<{ State: State }>(host, 'GET', `/containers/${this.#ids[what]}/json`)).State;
    for (const what of ['in start', 'in create', 'writer']) {
      if (!(await stateOf(what)).Running) problems.push(`${what}: not running after all went on`);
    }
    await eventually('the end of the container with the stopped monitor', async () => {
      const { Running, ExitCode } = await stateOf('stopped monitor');
      return !Running && ExitCode === 137;
    }).catch((error: Error) => problems.push(error.message));
    if ((await call(host, 'GET', `/containers/${this.#ids['in delete']}/json`)).status !== 404)
      problems.push('in delete: still there');
    return problems;
  }

  #thaw(): void {
    this.#runtime.thaw();
    if (this.#monitor !== 0) process.kill(this.#monitor, 'SIGCONT');
    this.#monitor = 0;
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#thaw();
    const { host } = this.#daemon;
    await run(this.#client, ['rm', '-f', ...this.ids()], { host });
    await Promise.all(this.#ended);
  }
}

/** Whether a call of the runtime with this command stands for this container. */
function daemonRuns(id: string, command: string): boolean {
  const found = Bun.spawnSync(['pgrep', '-f', `freezable.* ${command} ${id}`]);
  return found.exitCode === 0;
}
