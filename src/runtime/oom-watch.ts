import { existsSync, renameSync, watch, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { TaskLayout } from './layout.ts';

type OomFiles = Pick<TaskLayout, 'directory' | 'oomFile' | 'toldOomFile'>;

/** conmon makes the file twice each time, in its working directory and where it keeps what lasts: both are one here. */
const SETTLE_MS = 20;

/** conmon tells the PID before it begins to watch, and never sees what is killed in between. */
const EARLY_LOOKS_MS = [100, 1000, 10_000];

/**
 * Calls `listener` for each time that the monitor says the container ran out of memory: something was killed, or hangs
 * where killing is disabled. What came before is told at once. conmon watches the cgroup (an eventfd, or `memory.events`)
 * and makes a file; that is set aside here, so that it makes another one. `hasKilled` asks the cgroup itself. Dispose to
 * stop.
 */
export function watchOom(files: OomFiles, hasKilled: () => boolean, listener: () => void): Disposable {
  const take = () => {
    if (attempt(() => setAside(files))) listener();
  };
  const look = () => {
    if (attempt(() => !hasRunOutOfMemory(files) && hasKilled() && markOom(files))) take();
  };
  const looks = EARLY_LOOKS_MS.map((delay) => setTimeout(look, delay).unref());
  const name = basename(files.oomFile);
  let timer: Timer | undefined;
  const takeSoon = () => {
    timer = undefined;
    take();
  };
  const watcher = watch(files.directory, { persistent: false }, (_, changed) => {
    if (changed === null || changed === name) timer ??= setTimeout(takeSoon, SETTLE_MS).unref();
  });
  // The directory goes with the task; the end of a run looks by itself.
  watcher.on('error', () => {});
  take();
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      for (const early of looks) clearTimeout(early);
      watcher.close();
    },
  };
}

/** False when there is none. */
function setAside({ oomFile, toldOomFile }: OomFiles): boolean {
  if (!existsSync(oomFile)) return false;
  renameSync(oomFile, toldOomFile);
  return true;
}

/** As the monitor does it. */
function markOom({ oomFile }: OomFiles): boolean {
  writeFileSync(oomFile, '');
  return true;
}

/** Without descriptors or space, or with the directory just going, this look tells nothing; the end of the run looks again. */
function attempt(look: () => boolean): boolean {
  try {
    return look();
  } catch {
    return false;
  }
}

/** Whether the monitor has ever said so in this run. */
export const hasRunOutOfMemory = ({ oomFile, toldOomFile }: OomFiles): boolean =>
  existsSync(oomFile) || existsSync(toldOomFile);
