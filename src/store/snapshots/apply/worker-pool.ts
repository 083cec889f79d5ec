import { internal, Semaphore, workerUrl } from '#base';
import type { ApplyJob, ApplyResult } from './apply-archive.ts';
import { type ApplyReply, type ApplyRequest, replyError } from './messages.ts';

/**
 * The Worker file of this room, from the repository root. `bun build --compile` must be given it as an extra
 * entry point (with the repository as its `--root`), else it is missing in the binary.
 */
export const LAYER_WORKER_ENTRY = 'src/store/snapshots/apply/apply-worker.ts';

export interface ApplyPoolOptions {
  /** Most Workers at once. Default 2: one layer decompresses while another is written. */
  readonly size?: number;
  /** How long a Worker waits for more work before it is ended, to give its memory back. Default 10 s. */
  readonly idleMs?: number;
  readonly createWorker?: () => Worker;
}

interface Running {
  readonly id: number;
  readonly resolve: (result: ApplyResult) => void;
  readonly reject: (error: unknown) => void;
}

interface Member {
  readonly worker: Worker;
  running: Running | undefined;
  idleTimer: Timer | undefined;
}

const DEFAULT_SIZE = 2;
const DEFAULT_IDLE_MS = 10_000;

/** Runs {@link ApplyJob}s in Workers that are made on demand and used again. */
export class ApplyPool {
  readonly #semaphore: Semaphore;
  readonly #idleMs: number;
  readonly #createWorker: () => Worker;
  readonly #idle: Member[] = [];
  #nextId = 1;
  #isAsideBusy = false;

  constructor(options: ApplyPoolOptions = {}) {
    this.#semaphore = new Semaphore(options.size ?? DEFAULT_SIZE);
    this.#idleMs = options.idleMs ?? DEFAULT_IDLE_MS;
    this.#createWorker =
      options.createWorker ??
      (() => new Worker(workerUrl(LAYER_WORKER_ENTRY, './apply-worker.ts', import.meta.url)));
  }

  /**
   * Applies one layer. Returns or throws only when the Worker has let go of the directory, also when aborted.
   * @throws what the job throws, the signal's reason, `internal` when the Worker dies.
   */
  run(job: ApplyJob, signal?: AbortSignal): Promise<ApplyResult> {
    return this.#semaphore.run(() => this.#runNow(job, signal));
  }

  /**
   * Like {@link run}, for a job that may take as long as somebody outside likes: it has a Worker of its own beside
   * the others, and when that one is taken the answer is undefined.
   */
  tryRunAside(job: ApplyJob, signal: AbortSignal): Promise<ApplyResult> | undefined {
    if (this.#isAsideBusy) return undefined;
    this.#isAsideBusy = true;
    return this.#runNow(job, signal).finally(() => {
      this.#isAsideBusy = false;
    });
  }

  async #runNow(job: ApplyJob, signal: AbortSignal | undefined): Promise<ApplyResult> {
    signal?.throwIfAborted();
    const member = this.#idle.pop() ?? this.#hire();
    clearTimeout(member.idleTimer);
    try {
      return await this.#assign(member, job, signal);
    } finally {
      member.running = undefined;
      this.#rest(member);
    }
  }

  /** Ends the idle Workers. */
  close(): void {
    for (const member of this.#idle.splice(0)) dismiss(member);
  }

  async #assign(member: Member, job: ApplyJob, signal: AbortSignal | undefined): Promise<ApplyResult> {
    const { promise, resolve, reject } = Promise.withResolvers<ApplyResult>();
    const id = this.#nextId++;
    const cancel = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    const onAbort = (): void => void Atomics.store(new Int32Array(cancel), 0, 1);
    signal?.addEventListener('abort', onAbort);
    member.running = { id, resolve, reject };
    member.worker.ref();
    member.worker.postMessage({ id, job, cancel } satisfies ApplyRequest);
    try {
      return await promise;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  #hire(): Member {
    const worker = this.#createWorker();
    const member: Member = { worker, running: undefined, idleTimer: undefined };
    worker.onmessage = (event: { readonly data: ApplyReply }) => settle(member, event.data);
    const onDeath = (reason: string): void => {
      this.#leaveIdle(member);
      member.running?.reject(internal(`the layer worker died: ${reason}`));
      member.running = undefined;
      this.#dead.add(member);
    };
    worker.addEventListener('error', (event) => onDeath(event.message));
    worker.addEventListener('close', () => onDeath('it ended'));
    return member;
  }

  readonly #dead = new WeakSet<Member>();

  #rest(member: Member): void {
    if (this.#dead.has(member)) {
      member.worker.terminate();
      return;
    }
    member.worker.unref();
    member.idleTimer = setTimeout(() => {
      this.#leaveIdle(member);
      dismiss(member);
    }, this.#idleMs);
    member.idleTimer.unref();
    this.#idle.push(member);
  }

  #leaveIdle(member: Member): void {
    clearTimeout(member.idleTimer);
    const index = this.#idle.indexOf(member);
    if (index >= 0) this.#idle.splice(index, 1);
  }
}

function settle(member: Member, reply: ApplyReply): void {
  if (reply.id !== member.running?.id) return;
  if ('result' in reply) member.running.resolve(reply.result);
  else member.running.reject(replyError(reply));
}

function dismiss(member: Member): void {
  clearTimeout(member.idleTimer);
  member.worker.terminate();
}
