import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { errnoCode } from '#base';
import type { Fd, Sys } from '#sys';

/** A process that can be told from a later one with the same PID. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, as text (proc(5), `starttime`). */
  readonly startTime: string;
}

/** Undefined when there is no such process, or only its zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT' || errnoCode(error) === 'ESRCH') return undefined;
    throw error;
  }
  // The second field is the command in parentheses and may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  return state === 'Z' || state === 'X' || startTime === undefined ? undefined : { pid, startTime };
}

/** A pidfd of exactly that process. Undefined when it has ended. The caller closes it. */
export function openProcess(identity: ProcessIdentity, sys: Pick<Sys, 'processes'>): Fd | undefined {
  // A record written before the process was known.
  if (identity.pid === 0) return undefined;
  let fd: Fd;
  try {
    fd = sys.processes.pidfdOpen(identity.pid);
  } catch (error) {
    if (errnoCode(error) === 'ESRCH') return undefined;
    throw error;
  }
  let isSame = false;
  try {
    // Checked after the descriptor is held: from here on the PID cannot be given to another process unnoticed.
    isSame = identify(identity.pid)?.startTime === identity.startTime;
  } finally {
    if (!isSame) sys.processes.closeFd(fd);
  }
  return isSame ? fd : undefined;
}

/** Signals exactly that process. False when it has ended. */
export function signalProcess(
  identity: ProcessIdentity,
  signal: number,
  sys: Pick<Sys, 'processes'>,
): boolean {
  const fd = openProcess(identity, sys);
  if (fd === undefined) return false;
  try {
    return sys.processes.pidfdSignal(fd, signal);
  } finally {
    sys.processes.closeFd(fd);
  }
}

const FIRST_POLL_MS = 10;
const SLOWEST_POLL_MS = 1000;

/** Growing pauses, without end; ends by throwing once `signal` is aborted. */
async function* pauses(signal: AbortSignal): AsyncGenerator<undefined, never> {
  for (let pause = FIRST_POLL_MS; ; pause = Math.min(pause * 2, SLOWEST_POLL_MS)) {
    yield;
    await sleep(pause, undefined, { signal, ref: false });
  }
}

/** The first answer of `probe` that is no error: out of descriptors or memory, nobody knows, and it passes. */
async function persistently<T>(probe: () => T, signal: AbortSignal): Promise<T> {
  for await (const _ of pauses(signal)) {
    try {
      return probe();
    } catch {
      // Asked again after the pause.
    }
  }
  throw signal.reason;
}

/**
 * Waits for the end of a process that is not our child, by polling. It backs up the exit event, for monitors of an
 * earlier daemon and for lost ones, so a late answer is rare and a second is early enough.
 */
export async function processEnd(
  identity: ProcessIdentity,
  sys: Pick<Sys, 'processes'>,
  signal: AbortSignal,
): Promise<void> {
  const fd = await persistently(() => openProcess(identity, sys), signal);
  if (fd === undefined) return;
  try {
    for await (const _ of pauses(signal)) if (sys.processes.hasExited(fd)) return;
  } finally {
    sys.processes.closeFd(fd);
  }
}

/** {@link processEnd} that never resolves once `closing` is aborted: then it is the successor who reports the end. */
export const lastingProcessEnd = (
  identity: ProcessIdentity,
  sys: Pick<Sys, 'processes'>,
  closing: AbortSignal,
): Promise<void> => unlessClosing(processEnd(identity, sys, closing), closing);

/** {@link persistently}, likewise. */
export const lastingAnswer = <T>(probe: () => T, closing: AbortSignal): Promise<T> =>
  unlessClosing(persistently(probe, closing), closing);

async function unlessClosing<T>(work: Promise<T>, closing: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!closing.aborted) throw error;
    return await new Promise<never>(() => {});
  }
}
