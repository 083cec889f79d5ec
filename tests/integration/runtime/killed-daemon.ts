import { expect } from 'bun:test';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { ExecOptions, TaskOptions } from '#runtime';

/** A daemon in a process of its own, to be killed. */
export interface VictimDaemon {
  /** Has it make and start a container, and execs in it; resolves when they run. */
  run(options: TaskOptions, execs?: readonly ExecOptions[]): Promise<{ readonly monitorPid: number }>;
  /** The same without waiting. */
  send(options: TaskOptions, execs?: readonly ExecOptions[]): void;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts the fixture daemon on the exec root and cache of a sandbox's directory. */
export async function spawnDaemon(directory: string): Promise<VictimDaemon> {
  const program = join(import.meta.dir, 'fixtures/daemon.ts');
  const child = Bun.spawn([process.execPath, program, join(directory, 'exec'), join(directory, 'cache')], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const lines = createInterface({ input: Readable.fromWeb(child.stdout as never) })[Symbol.asyncIterator]();
  expect((await lines.next()).value).toBe('up');
  const send = (options: TaskOptions, execs: readonly ExecOptions[] = []) => {
    child.stdin.write(`${JSON.stringify({ ...options, execs })}\n`);
    child.stdin.flush();
  };
  return {
    send,
    async run(options, execs) {
      send(options, execs);
      const [id, pid] = String((await lines.next()).value).split(' ');
      expect(id).toBe(options.id);
      return { monitorPid: Number(pid) };
    },
    async kill() {
      child.kill('SIGKILL');
      await child.exited;
    },
  };
}
