import { withDeadline } from '#base';
import type { Files } from '#sys';
import { sourceSilent } from '../errors.ts';
import { LookWorkers } from './look-workers.ts';

const DEADLINE_MS = 30_000;
/** A thread that waits cannot be ended, and costs some megabytes. */
const MAX_WAITING = 16;

export interface SourceGateOptions {
  readonly files: Pick<Files, 'mayWait'>;
  /** Looks at a path, however long that takes. Default: in a Worker. */
  readonly look?: (path: string) => Promise<unknown>;
  /** Default 30 s. */
  readonly deadlineMs?: number;
}

/**
 * Whoever looks at a directory whose server is dead (NFS, FUSE) waits, and it must not be the main thread. What is about to
 * be looked at passes here first: when it has answered once, it will not be silent a moment later.
 */
export class SourceGate {
  readonly #files: Pick<Files, 'mayWait'>;
  readonly #look: (path: string) => Promise<unknown>;
  readonly #deadlineMs: number;
  /** Who asks for the same path waits for the same answer. */
  readonly #asked = new Map<string, Promise<unknown>>();

  constructor(options: SourceGateOptions) {
    this.#files = options.files;
    const workers = new LookWorkers();
    this.#look = options.look ?? ((path) => workers.look(path));
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
  }

  /**
   * Resolves when each of the paths has answered, be it that it is missing. Those on disks of this machine do at once.
   * @throws `deadline_exceeded` for one that does not, the reason of `signal` when that is aborted before.
   */
  async pass(paths: readonly string[], signal?: AbortSignal): Promise<void> {
    const slow = paths.filter((path) => this.#files.mayWait(path));
    if (slow.length === 0) return;
    const answers = Promise.all(slow.map((path) => this.#answer(path)));
    await (signal ? Promise.race([answers, aborted(signal)]) : answers);
  }

  async #answer(path: string): Promise<void> {
    const known = this.#asked.get(path);
    if (!known && this.#asked.size >= MAX_WAITING) throw sourceSilent(path);
    try {
      await withDeadline(known ?? this.#ask(path), this.#deadlineMs, path);
    } catch (error) {
      throw sourceSilent(path, error);
    }
  }

  #ask(path: string): Promise<unknown> {
    const answer = this.#look(path).finally(() => this.#asked.delete(path));
    this.#asked.set(path, answer);
    return answer;
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  return await promise;
}
