import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CgroupMode } from './types.ts';

export interface AttachNoticeOptions {
  readonly mode: CgroupMode;
  readonly controllers: ReadonlyMap<string, string>;
  readonly unified: string | undefined;
  /** Where this process's own cgroups are listed (cgroups(7)). Default `/proc/self/cgroup`; another one for tests. */
  readonly membership?: string;
}

/** Half of the time for which the kernel stays quick after a move. */
const REPEAT_MS = 5;
/** From the notice to the runtime's move, on a busy machine. */
const LASTS_MS = 25;

/**
 * Makes moves between cgroups quick for a moment.
 *
 * The first move of any process after a quiet time waits for an RCU grace period (5 to 12 ms); moves that follow
 * within 10 to 15 ms do not (percpu_rw_semaphore over rcu_sync in the kernel's cgroup.c). A runtime makes its move some
 * milliseconds after we know of it, so the wait is begun ahead: this process is moved to where it already is, on a
 * thread of the pool, again and again until the notice runs out. Nothing changes for anybody; without the right to do
 * so nothing happens at all.
 */
export class AttachNotice {
  readonly #options: AttachNoticeOptions;
  #endsAt = 0;
  #isActive = false;
  #isRefused = false;

  constructor(options: AttachNoticeOptions) {
    this.#options = options;
  }

  /** Returns at once. A notice that is given already is made longer. */
  give(): void {
    this.#endsAt = performance.now() + LASTS_MS;
    if (this.#isRefused || this.#isActive) return;
    this.#isActive = true;
    void this.#keepQuick();
  }

  /** Never rejects: what cannot be done ahead is waited for later. */
  async #keepQuick(): Promise<void> {
    try {
      while (performance.now() < this.#endsAt) {
        await this.#moveSelf();
        await sleep(REPEAT_MS, undefined, { ref: false });
      }
    } catch {
      this.#isRefused = true;
    } finally {
      this.#isActive = false;
    }
  }

  async #moveSelf(): Promise<void> {
    const directory = this.#ownDirectory();
    if (directory) await writeFile(join(directory, 'cgroup.procs'), String(process.pid), { flag: 'r+' });
  }

  /** Where this process is in one of the hierarchies: it may be moved by others, so it is read each time. */
  #ownDirectory(): string | undefined {
    const { mode, controllers, unified, membership = '/proc/self/cgroup' } = this.#options;
    const lines = readFileSync(membership, 'utf8').trim().split('\n');
    for (const line of lines) {
      const [id, names = '', ...path] = line.split(':');
      const name = names.split(',')[0] ?? '';
      const mount = id === '0' ? (mode === 'unified' ? unified : undefined) : controllers.get(name);
      if (mount !== undefined) return join(mount, path.join(':'));
    }
    return undefined;
  }
}
