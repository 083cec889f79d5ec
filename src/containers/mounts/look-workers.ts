import { askWorker, workerUrl } from '#base';

/** This room's Worker file, from the repository root: it must be an entry point of the built program. */
export const CONTAINER_WORKER_ENTRY = 'src/containers/mounts/look-worker.ts';

/** How long one is kept for the next path: it takes 10 ms to make. */
const IDLE_MS = 30_000;

interface IdleWorker {
  readonly worker: Worker;
  readonly timer: Timer;
}

/** Looks at paths, each in a Worker of its own for as long as that takes. */
export class LookWorkers {
  readonly #idle: IdleWorker[] = [];

  /** Resolves when the path has answered, be it with an error. @throws when the Worker fails. */
  async look(path: string): Promise<void> {
    const worker = this.#take();
    try {
      await askWorker(worker, path);
    } catch (error) {
      worker.terminate();
      throw error;
    }
    this.#keep(worker);
  }

  #take(): Worker {
    const idle = this.#idle.pop();
    clearTimeout(idle?.timer);
    return (
      idle?.worker ??
      new Worker(workerUrl(CONTAINER_WORKER_ENTRY, './look-worker.ts', import.meta.url), { smol: true })
    );
  }

  #keep(worker: Worker): void {
    const end = () => {
      this.#idle.splice(this.#idle.indexOf(kept), 1);
      worker.terminate();
    };
    const kept = { worker, timer: setTimeout(end, IDLE_MS) };
    kept.timer.unref();
    worker.unref();
    this.#idle.push(kept);
  }
}
