import { readdirSync, readFileSync } from 'node:fs';
import type { Sys } from '#sys';
import type { ExecCgroup } from './exec-cgroup.ts';
import type { ExecLayout } from './layout.ts';

const SIGKILL = 9;
/** A process may fork while it is being killed: so often what is left of a start is looked for. */
const KILL_ROUNDS = 20;

/** Kills what is starting an exec, and the process if it has been started. */
export function endStarters(
  files: ExecLayout,
  cgroup: ExecCgroup | undefined,
  sys: Pick<Sys, 'processes'>,
): void {
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    // The monitor and the runtime; the process is one of them until it runs the user's program, in its cgroup then.
    const starters = processesNaming(files.directory);
    for (const pid of starters) sys.processes.kill(pid, SIGKILL);
    const killed = cgroup?.signal(SIGKILL) ?? false;
    if (starters.length === 0 && !killed) break;
  }
}

/** Processes with an argument that begins with this path. */
function processesNaming(path: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => argumentsOf(pid).some((argument) => argument.startsWith(path)));
}

function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    // It has ended meanwhile.
    return [];
  }
}
