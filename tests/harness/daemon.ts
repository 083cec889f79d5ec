import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { allClients, type Client, clientEnvironment, GANTRY, must } from './programs.ts';
import { ownName } from './test-run.ts';

/** A daemon of one test file, apart from every other one: own roots, own socket, own bridge. */
export interface TestDaemon extends AsyncDisposable {
  /** `unix:///…`, for DOCKER_HOST. */
  readonly host: string;
  readonly directory: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  /** Of this daemon only. */
  readonly cgroupParent: string;
  readonly pid: number;
  /** Everything the daemon has logged. */
  log(): string;
  /** SIGKILL, as a crash. Resolves when the process is gone. */
  crash(): Promise<void>;
  /** Starts a successor on the same roots, after {@link crash} or {@link stop}. */
  restart(extraFlags?: readonly string[]): Promise<void>;
  /** SIGTERM. Resolves with the exit code. */
  stop(): Promise<number>;
}

export interface DaemonOptions {
  readonly flags?: readonly string[];
}

/** The endpoint the tests were told to use instead of a daemon of their own (`GANTRY_TEST_HOST`). */
export const givenHost = (): string | undefined => process.env['GANTRY_TEST_HOST'];

let subnets = randomBytes(1)[0] ?? 0;

/** Starts `dist/gantry daemon` and waits until it answers. */
export async function startDaemon(options: DaemonOptions = {}): Promise<TestDaemon> {
  if (!existsSync(GANTRY)) throw new Error(`${GANTRY} is missing: run make build`);
  const directory = mkdtempSync(join(tmpdir(), 'gantry-test-'));
  // As /var/lib is: the mapped root of a user namespace has to get through.
  chmodSync(directory, 0o711);
  // Unix socket paths are short: the execution root stays close to the top.
  const execRoot = `/run/${ownName(directory.slice(-6))}`;
  subnets = (subnets + 1) % 256;
  const flags = [
    ...['-H', `unix://${directory}/s.sock`, '--data-root', `${directory}/data`, '--exec-root', execRoot],
    ...['--pidfile', `${directory}/pid`, '--bip', `10.209.${subnets}.1/24`, '--log-level', 'debug'],
    ...['--cgroup-parent', cgroupParentOf(directory)],
    ...(options.flags ?? []),
  ];
  const daemon = new RunningDaemon(directory, execRoot, flags);
  await daemon.start([]);
  return daemon;
}

const cgroupParentOf = (directory: string): string => `/${ownName(directory.slice(-6))}`;

class RunningDaemon implements TestDaemon {
  readonly directory: string;
  readonly execRoot: string;
  readonly #flags: readonly string[];
  #child: Bun.Subprocess | undefined;

  constructor(directory: string, execRoot: string, flags: readonly string[]) {
    this.directory = directory;
    this.execRoot = execRoot;
    this.#flags = flags;
  }

  get host(): string {
    return `unix://${this.directory}/s.sock`;
  }

  get dataRoot(): string {
    return `${this.directory}/data`;
  }

  get cgroupParent(): string {
    return cgroupParentOf(this.directory);
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  log(): string {
    return readFileSync(`${this.directory}/log`, 'utf8');
  }

  async start(extraFlags: readonly string[]): Promise<void> {
    const log = openSync(`${this.directory}/log`, 'a');
    const child = Bun.spawn([GANTRY, 'daemon', ...this.#flags, ...extraFlags], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#child = child;
    await eventually('the daemon to answer', async () => {
      const end = child.signalCode ?? child.exitCode;
      if (end !== null) throw new Error(`the daemon ended with ${end}:\n${this.log()}`);
      const answer = await fetch('http://gantry/_ping', { unix: `${this.directory}/s.sock` });
      return answer.ok;
    });
  }

  restart(extraFlags: readonly string[] = []): Promise<void> {
    return this.start(extraFlags);
  }

  async crash(): Promise<void> {
    this.#child?.kill('SIGKILL');
    await this.#child?.exited;
  }

  async stop(): Promise<number> {
    this.#child?.kill('SIGTERM');
    return (await this.#child?.exited) ?? 0;
  }

  /** Removes every container, ends the daemon and deletes its directories. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null)
      await this.start([]);
    const [gantry] = allClients();
    if (gantry) await removeContainers(gantry, this.host);
    await this.stop();
    if (process.env['GANTRY_TEST_KEEP'] === undefined)
      rmSync(this.directory, { recursive: true, force: true });
    rmSync(this.execRoot, { recursive: true, force: true });
  }
}

async function removeContainers(client: Client, host: string): Promise<void> {
  const ids = (await must(client, ['ps', '-aq', '--no-trunc'], { host })).split('\n').filter(Boolean);
  if (ids.length > 0)
    await must(client, ['rm', '-f', '-v', ...ids], { host, env: clientEnvironment({ host }) });
}
