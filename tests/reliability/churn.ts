import type { TestDaemon } from '../harness/daemon.ts';
import { type Client, must, run } from '../harness/programs.ts';
import { callJson } from './api.ts';
import { type Footprint, footprintOf } from './figures.ts';

export interface ChurnReport {
  readonly runs: number;
  readonly execs: number;
  readonly failures: readonly string[];
  /** After a first fifth, when caches are warm. */
  readonly before: Footprint;
  readonly after: Footprint;
}

/**
 * Many short runs, and many execs in one container that lives on: processes, descriptors and memory of the daemon and of
 * what it supervises have to stay the same. R20.
 */
export async function churn(options: {
  readonly daemon: TestDaemon;
  readonly client: Client;
  readonly runs: number;
  readonly execs: number;
  readonly parallel: number;
  readonly onProgress?: (done: number) => void;
}): Promise<ChurnReport> {
  const { daemon, client } = options;
  const { host } = daemon;
  const failures: string[] = [];
  const base = await must(client, ['run', '-d', 'busybox', 'sleep', '100000'], { host });
  let done = 0;
  const one = async (turn: number, isRun: boolean): Promise<void> => {
    const code = turn % 5;
    const command = ['sh', '-c', `echo ${turn}; exit ${code}`];
    const ended = isRun
      ? await run(client, ['run', '--rm', 'busybox', ...command], { host })
      : await execOnce(host, base, command);
    if (ended.code !== code) failures.push(`${isRun ? 'run' : 'exec'} ${turn}: code ${ended.code}`);
    done += 1;
    options.onProgress?.(done);
  };
  const total = options.runs + options.execs;
  const work = async (from: number, to: number): Promise<Footprint> => {
    let next = from;
    const worker = async (): Promise<void> => {
      // Runs and execs mixed, in the proportion asked for.
      while (next < to) {
        const turn = next++;
        const isRun =
          Math.floor(((turn + 1) * options.runs) / total) > Math.floor((turn * options.runs) / total);
        await one(turn, isRun);
      }
    };
    await Promise.all(Array.from({ length: options.parallel }, worker));
    return footprintOf(daemon.pid);
  };
  const warm = Math.ceil(total / 5);
  const before = await work(0, warm);
  const after = await work(warm, total);
  await must(client, ['rm', '-f', base], { host });
  return { runs: options.runs, execs: options.execs, failures, before, after };
}

/** An exec over the API alone: starting a client program would take most of the time. */
async function execOnce(host: string, id: string, command: readonly string[]): Promise<{ code: number }> {
  const { Id } = await callJson<{ Id: string }>(host, 'POST', `/containers/${id}/exec`, {
    body: { Cmd: command, AttachStdout: true },
  });
  const response = await fetch(`http://engine/v1.41/exec/${Id}/start`, {
    unix: host.replace('unix://', ''),
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: '{"Detach":false,"Tty":false}',
  });
  await response.arrayBuffer();
  const { ExitCode } = await callJson<{ ExitCode: number | null }>(host, 'GET', `/exec/${Id}/json`);
  return { code: ExitCode ?? -1 };
}
