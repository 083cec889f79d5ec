import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';

/** Waits for changes below a log's directory. A change between two waits is not missed. */
export class ChangeWaiter implements Disposable {
  readonly #watcher: FSWatcher;
  #hasChanged = false;
  #wake: (() => void) | undefined;

  constructor(logPath: string) {
    this.#watcher = watch(dirname(logPath), () => this.wake());
    // Without a watch nothing would ever wake us: let the reader look again and find out.
    this.#watcher.on('error', () => this.wake());
  }

  /** Ends the present or the next wait. */
  wake(): void {
    this.#hasChanged = true;
    this.#wake?.();
  }

  async wait(): Promise<void> {
    if (!this.#hasChanged) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#wake = undefined;
    this.#hasChanged = false;
  }

  [Symbol.dispose](): void {
    this.#watcher.close();
  }
}
