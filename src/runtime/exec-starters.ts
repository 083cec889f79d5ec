import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sys } from '#sys';
import type { ExecCgroup } from './exec-cgroup.ts';
import type { ExecLayout } from './layout.ts';

const SIGKILL = 9;
/** A process may fork while it is being killed: so often what is left of a start is looked for. */
const KILL_ROUNDS = 20;
const PAUSE_MS = 10;

/** Kills what is starting an exec, and the process if it has been started. */
export function endStarters(...place: StarterPlace): void {
  for (let round = 0; round < KILL_ROUNDS; round += 1) if (!killStarters(...place)) return;
}

/** {@link endStarters} in a daemon that has other things to do meanwhile. */
export async function endStartersPatiently(...place: StarterPlace): Promise<void> {
  for (let round = 0; round < KILL_ROUNDS; round += 1) {
    if (!killStarters(...place)) return;
    await sleep(PAUSE_MS);
  }
}

type StarterPlace = [files: ExecLayout, cgroup: ExecCgroup | undefined, sys: Pick<Sys, 'processes'>];

/** Whether there was anything to kill. */
function killStarters(...[files, cgroup, sys]: StarterPlace): boolean {
  // The monitor and the runtime; the process is one of them until it runs the user's program, in its cgroup then.
  const starters = processesNaming(files.directory);
  for (const pid of starters) sys.processes.kill(pid, SIGKILL);
  const killed = cgroup?.signal(SIGKILL) ?? false;
  return killed || starters.length > 0;
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
