import type { Subprocess } from 'bun';
import type { Sys } from '#sys';
import type { LaunchableRuntime } from '../programs/launcher.ts';
import { conmonEnvironment } from './arguments.ts';
import { SyncSocket } from './sync-socket.ts';

export interface Conmon {
  readonly pid: number;
  readonly sync: SyncSocket;
  /** Resolves when the process has ended. */
  readonly exited: Promise<unknown>;
  /** What it said on standard error before it went into the background; empty normally. */
  complaint(): Promise<string>;
  kill(signal: number): void;
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
  readonly sys: Pick<Sys, 'cgroups' | 'sockets' | 'processes'>;
}): Promise<Conmon> {
  // The runtime that conmon calls will move its child.
  options.sys.cgroups.expectAttach();
  const [ours, theirs] = options.sys.sockets.socketpair();
  const sync = await SyncSocket.open(ours);
  let child: Subprocess<'ignore', 'ignore', 'pipe'>;
  try {
    child = Bun.spawn([options.path, ...options.args], {
      cwd: options.directory,
      env: conmonEnvironment(options.fds, options.runtime),
      stdio: ['ignore', 'ignore', 'pipe', ...Array<number>(options.fds).fill(theirs)],
    }) as Subprocess<'ignore', 'ignore', 'pipe'>;
  } catch (error) {
    sync.close();
    throw error;
  } finally {
    options.sys.processes.closeFd(theirs);
  }
  child.unref();
  const complaint = new Response(child.stderr).text().catch(() => '');
  return {
    pid: child.pid,
    sync,
    exited: child.exited,
    complaint: () => complaint,
    kill: (signal) => child.kill(signal),
  };
}
