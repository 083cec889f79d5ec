import type { WaitCondition } from './types.ts';

export interface ExitResult {
  readonly exitCode: number;
  readonly error?: string;
}

type Waiter = (result: ExitResult) => void;

/** Who waits for the end or the removal of one container. */
export class ExitWaiters {
  readonly #exit = new Set<Waiter>();
  readonly #removal = new Set<Waiter>();

  /** Registers at once. Rejects when `signal` aborts. */
  add(condition: WaitCondition, signal?: AbortSignal): Promise<ExitResult> {
    const waiters = condition === 'removed' ? this.#removal : this.#exit;
    const { promise, resolve, reject } = Promise.withResolvers<ExitResult>();
    const onAbort = () => {
      waiters.delete(resolve);
      reject(signal?.reason);
    };
    if (signal?.aborted) onAbort();
    else {
      waiters.add(resolve);
      signal?.addEventListener('abort', onAbort, { once: true });
      void promise.then(
        () => signal?.removeEventListener('abort', onAbort),
        () => {},
      );
    }
    return promise;
  }

  get count(): number {
    return this.#exit.size + this.#removal.size;
  }

  notifyExit(result: ExitResult): void {
    notify(this.#exit, result);
  }

  /** A container that is gone will not end any more: those who wait for an exit are answered too. */
  notifyRemoval(result: ExitResult): void {
    notify(this.#exit, result);
    notify(this.#removal, result);
  }
}

function notify(waiters: Set<Waiter>, result: ExitResult): void {
  const all = [...waiters];
  waiters.clear();
  for (const resolve of all) resolve(result);
}
