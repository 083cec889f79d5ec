import { existsSync, readFileSync } from 'node:fs';
import type { TestDaemon } from '../harness/daemon.ts';
import { eventually } from '../harness/eventually.ts';
import { type Client, must, run } from '../harness/programs.ts';
import { call, callJson } from './api.ts';

/** Who is killed: the daemon, the container's monitor, the workload. */
const PARTS = ['daemon', 'monitor', 'workload'] as const;
type Part = (typeof PARTS)[number];

export interface LostProcessesReport {
  readonly orders: number;
  /** How often the exit code was known although something had been killed. */
  readonly codesKnown: number;
  readonly codesUnknown: number;
  readonly problems: readonly string[];
}

/** Every order of every selection: 15. */
const ORDERS: readonly (readonly Part[])[] = selections(PARTS);

function selections(parts: readonly Part[]): Part[][] {
  return parts.flatMap((part) => {
    const rest = parts.filter((other) => other !== part);
    return [[part], ...selections(rest).map((order) => [part, ...order])];
  });
}

const CODE = 7;
const WORKLOAD = `trap 'exit ${CODE}' TERM; echo up; while :; do sleep 0.02; done`;
/** What docker reports when nobody could take the status. */
const UNKNOWN = 137;

/**
 * Kills daemon, monitor and workload of containers in every order (and every selection), `rounds` times. After each, and
 * after a successor of a killed daemon has started: the state is true, the exit code is the container's own where a monitor
 * lived to take it, {@link UNKNOWN} with a mark in its state otherwise, and `rm -f` works and leaves nothing. R5.
 */
export async function killInAllOrders(options: {
  readonly daemon: TestDaemon;
  readonly client: Client;
  readonly rounds: number;
  readonly onProgress?: (done: number) => void;
}): Promise<LostProcessesReport> {
  const report = { orders: 0, codesKnown: 0, codesUnknown: 0, problems: [] as string[] };
  for (let turn = 0; turn < options.rounds * ORDERS.length; turn += 1) {
    const order = ORDERS[turn % ORDERS.length] ?? [];
    const hasTerminal = Math.floor(turn / ORDERS.length) % 2 === 1;
    const victim = new Victim(options.daemon, options.client, order, hasTerminal);
    try {
      const code = await victim.play();
      report.codesKnown += code === CODE ? 1 : 0;
      report.codesUnknown += code === UNKNOWN ? 1 : 0;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      report.problems.push(`${order.join(', ')}${hasTerminal ? ' (terminal)' : ''}: ${reason}`);
      await victim.forget();
    }
    report.orders += 1;
    options.onProgress?.(report.orders);
  }
  return report;
}

interface State {
  readonly Running: boolean;
  readonly Status: string;
  readonly ExitCode: number;
  readonly Pid: number;
  readonly Error: string;
}

class Victim {
  id = '';
  readonly #daemon: TestDaemon;
  readonly #client: Client;
  readonly #order: readonly Part[];
  readonly #hasTerminal: boolean;
  #isDown = false;
  #workload = 0;
  #monitor = 0;

  constructor(daemon: TestDaemon, client: Client, order: readonly Part[], hasTerminal: boolean) {
    this.#daemon = daemon;
    this.#client = client;
    this.#order = order;
    this.#hasTerminal = hasTerminal;
  }

  /** The exit code, undefined when the workload lived on. */
  async play(): Promise<number | undefined> {
    await this.#start();
    for (const part of this.#order) {
      if (part === 'daemon') await this.#crash();
      // It ends by itself right behind its workload.
      if (part === 'monitor' && isAlive(this.#monitor)) kill(this.#monitor);
      if (part === 'workload') await this.#endWorkload();
    }
    await this.#restart();
    const code = await this.#checkState();
    await this.#remove();
    return code;
  }

  /** Leaves a working daemon to the next one, whatever went wrong. */
  async forget(): Promise<void> {
    await this.#restart();
    await run(this.#client, ['rm', '-f', this.id], { host: this.#daemon.host });
  }

  async #crash(): Promise<void> {
    this.#isDown = true;
    await this.#daemon.crash();
  }

  async #restart(): Promise<void> {
    if (this.#isDown) await this.#daemon.restart();
    this.#isDown = false;
  }

  async #start(): Promise<void> {
    const { host, execRoot } = this.#daemon;
    const flags = this.#hasTerminal ? ['-t'] : [];
    this.id = await must(this.#client, ['run', '-d', ...flags, 'busybox', 'sh', '-c', WORKLOAD], { host });
    await eventually('the workload', async () =>
      (await must(this.#client, ['logs', this.id], { host })).includes('up'),
    );
    const record = JSON.parse(readFileSync(`${execRoot}/tasks/${this.id}/task.json`, 'utf8'));
    this.#workload = record.init.pid;
    this.#monitor = record.monitor.pid;
  }

  async #endWorkload(): Promise<void> {
    // With the monitor its pipe may have gone; then the shell is dead already.
    if (isAlive(this.#workload)) process.kill(this.#workload, 'SIGTERM');
    await eventually('the end of the workload', () => !isAlive(this.#workload));
  }

  async #checkState(): Promise<number | undefined> {
    const { host } = this.#daemon;
    const state = async () =>
      (await callJson<{ State: State }>(host, 'GET', `/containers/${this.id}/json`)).State;
    if (!this.#order.includes('workload') && isAlive(this.#workload)) {
      await this.#checkRunning(await state());
      return undefined;
    }
    const ended = await eventually('the end to be known', async () => {
      const now = await state();
      return now.Running ? undefined : now;
    });
    const waited = await callJson<{ StatusCode: number }>(host, 'POST', `/containers/${this.id}/wait`);
    if (ended.Status !== 'exited') throw new Error(`status ${ended.Status}`);
    if (waited.StatusCode !== ended.ExitCode)
      throw new Error(`wait says ${waited.StatusCode}, inspect ${ended.ExitCode}`);
    if (ended.Pid !== 0) throw new Error(`an ended container with PID ${ended.Pid}`);
    const lived =
      this.#order.indexOf('monitor') < 0 || this.#order.indexOf('workload') < this.#order.indexOf('monitor');
    // A monitor killed right behind its workload may have had no time to write down what it saw.
    const allowed = lived && !this.#order.includes('monitor') ? [CODE] : lived ? [CODE, UNKNOWN] : [UNKNOWN];
    if (!allowed.includes(ended.ExitCode))
      throw new Error(`exit code ${ended.ExitCode}, not ${allowed.join(' or ')}`);
    if ((ended.ExitCode === UNKNOWN) !== ended.Error.startsWith('exit status unknown: '))
      throw new Error(`exit code ${ended.ExitCode} with the error "${ended.Error}"`);
    return ended.ExitCode;
  }

  async #checkRunning(state: State): Promise<void> {
    const { host } = this.#daemon;
    if (!state.Running || state.Pid !== this.#workload)
      throw new Error(`the workload lives (${this.#workload}), but the state is ${JSON.stringify(state)}`);
    const exec = await must(this.#client, ['exec', this.id, 'echo', 'here'], { host });
    if (exec.trim() !== 'here') throw new Error(`exec: ${exec}`);
  }

  async #remove(): Promise<void> {
    const { host, execRoot } = this.#daemon;
    await must(this.#client, ['rm', '-f', this.id], { host });
    if ((await call(host, 'GET', `/containers/${this.id}/json`)).status !== 404)
      throw new Error('not removed');
    if (existsSync(`${execRoot}/tasks/${this.id}`)) throw new Error('its runtime files were left');
    await eventually('its processes to go', () => !isAlive(this.#workload) && !isAlive(this.#monitor));
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]$/.test(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? 'X');
  } catch {
    return false;
  }
}
