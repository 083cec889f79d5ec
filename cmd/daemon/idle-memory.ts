import type { Processes } from '#sys';

const CHECK_MS = 5000;
/** Of {@link CHECK_MS}: less than one per cent of a processor is doing nothing. */
const QUIET_CPU_MS = 50;
/** So much work has to lie behind for a collection to be worth it. */
const WORK_CPU_MS = 20;
const US_PER_MS = 1000;

/** What a release does, for tests. */
export interface IdleMemoryOptions {
  /** Processor time of this process so far, in milliseconds. */
  readonly cpuMs?: () => number;
  readonly collect?: () => void;
  readonly checkMs?: number;
}

/**
 * Gives memory back when the daemon has worked and then done nothing for five seconds: JavaScript's garbage, and the
 * pages of the program's own code, most of which only the start and rare requests need. Dispose it to stop.
 */
export function releaseMemoryWhenIdle(
  processes: Pick<Processes, 'releaseProgramPages'>,
  options: IdleMemoryOptions = {},
): Disposable {
  const { cpuMs = usedCpuMs, collect = () => Bun.gc(true), checkMs = CHECK_MS } = options;
  let atLastCheck = cpuMs();
  let atLastRelease = 0;
  const check = (): void => {
    const now = cpuMs();
    const isQuiet = now - atLastCheck < QUIET_CPU_MS;
    atLastCheck = now;
    if (!isQuiet || now - atLastRelease < WORK_CPU_MS) return;
    collect();
    processes.releaseProgramPages();
    // The release is no work that calls for another one.
    atLastCheck = cpuMs();
    atLastRelease = atLastCheck;
  };
  const timer = setInterval(check, checkMs);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function usedCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / US_PER_MS;
}
