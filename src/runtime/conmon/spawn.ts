import { closeSync, readFileSync } from 'node:fs';
import type { Subprocess } from 'bun';
import type { Fd, Sys } from '#sys';
import { here } from '../command.ts';
import type { LaunchableRuntime } from '../programs/launcher.ts';
import { conmonEnvironment } from './arguments.ts';
import { SyncSocket } from './sync-socket.ts';

export interface Conmon {
  readonly pid: number;
  readonly sync: SyncSocket;
  /** Resolves when the process has ended. */
  readonly exited: Promise<unknown>;
  /** What it has said on standard error; empty normally. Not after `close`. */
  complaint(): string;
  kill(signal: number): void;
  /** Closes our ends; conmon goes on. Idempotent. */
  close(): void;
}

/** Starts conmon with `fds` copies of one socket as its pipes. It outlives this process. */
export async function spawnConmon(options: {
  readonly path: string;
  readonly args: readonly string[];
  /** conmon leaves its out-of-memory mark in the working directory. */
  readonly directory: string;
  readonly fds: number;
  /** The one it will call. */
  readonly runtime: LaunchableRuntime;
  readonly sys: Pick<Sys, 'cgroups' | 'files' | 'sockets' | 'processes'>;
}): Promise<Conmon> {
  // The runtime that conmon calls will move its child.
  options.sys.cgroups.expectAttach();
  using undo = new DisposableStack();
  const complaints = new Complaints(options.sys);
  undo.defer(() => complaints.close());
  const [ours, theirs] = options.sys.sockets.socketpair();
  using _theirs = { [Symbol.dispose]: () => options.sys.processes.closeFd(theirs) };
  const sync = await SyncSocket.open(ours);
  undo.defer(() => sync.close());
  const enter = options.runtime.enter ?? here;
  const child = enter(() =>
    Bun.spawn([options.path, ...options.args], {
      cwd: options.directory,
      env: conmonEnvironment(options.fds, options.runtime),
      stdio: ['ignore', 'ignore', complaints.fd, ...Array<number>(options.fds).fill(theirs)],
    }),
  ) as Subprocess<'ignore', 'ignore', number>;
  undo.move();
  child.unref();
  return {
    pid: child.pid,
    sync,
    exited: child.exited,
    complaint: () => complaints.read(),
    kill: (signal) => child.kill(signal),
    close: () => {
      sync.close();
      complaints.close();
    },
  };
}

/**
 * What conmon says on standard error, as a file in memory: reading a pipe would hold a buffer of a quarter megabyte in
 * this process, and a descriptor, for as long as the container runs.
 */
class Complaints {
  readonly fd: Fd;
  #isOpen = true;

  constructor({ files }: Pick<Sys, 'files'>) {
    this.fd = files.memory('conmon-stderr');
  }

  read(): string {
    // A descriptor of its own: the other one shares its position with conmon.
    return this.#isOpen ? readFileSync(`/proc/self/fd/${this.fd}`, 'utf8') : '';
  }

  close(): void {
    if (this.#isOpen) closeSync(this.fd);
    this.#isOpen = false;
  }
}
