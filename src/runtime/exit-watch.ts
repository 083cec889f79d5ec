import { existsSync, type FSWatcher, mkdirSync, readFileSync, statSync, watch } from 'node:fs';
import { join } from 'node:path';
import { errnoCode } from '#base';

export interface RecordedExit {
  readonly exitCode: number;
  /** ISO time. */
  readonly exitedAt: string;
  readonly unknownReason?: string;
}

/** What docker reports when nobody could take the status. */
export const UNKNOWN_EXIT = 137;

/** Reads an exit file of conmon. Undefined when there is none (yet). */
export function readExitFile(path: string): RecordedExit | undefined {
  try {
    const exitCode = Number.parseInt(readFileSync(path, 'utf8'), 10);
    if (Number.isNaN(exitCode)) return undefined;
    return { exitCode: exitCode & 0xff, exitedAt: statSync(path).mtime.toISOString() };
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Tells when a file appears in conmon's exit directory. conmon renames it into place, so it is complete then. */
export class ExitWatch {
  readonly #directory: string;
  readonly #waiting = new Map<string, () => void>();
  #watcher: FSWatcher | undefined;

  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#watcher = watch(directory, { persistent: false }, (_, name) => this.#appeared(name));
    this.#watcher.on('error', () => this.#scan());
  }

  /** Calls `listener` once when `id`'s exit file is there, at once if it is there already. */
  expect(id: string, listener: () => void): void {
    this.#waiting.set(id, listener);
    this.#appeared(id);
  }

  forget(id: string): void {
    this.#waiting.delete(id);
  }

  close(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#waiting.clear();
  }

  #appeared(name: string | null): void {
    if (name === null) {
      this.#scan();
      return;
    }
    const listener = this.#waiting.get(name);
    // Looked at, not read: that takes no descriptor, of which there may be none.
    if (!listener || !existsSync(join(this.#directory, name))) return;
    this.#waiting.delete(name);
    listener();
  }

  /** After an overflow of the event queue anything may have happened. */
  #scan(): void {
    for (const id of this.#waiting.keys()) this.#appeared(id);
  }
}
