import type { CliOutput, SignalSource } from '../core/context.ts';
import { exitCodeOfSignal } from '../core/errors.ts';

/** So often a user has to ask, before a command ends whatever it waits for. Source: docker/cli `cmd/docker/docker.go`. */
const LIMIT = 3;
const TERMINATION = ['SIGINT', 'SIGTERM'];
const EXIT_CODE = 1;

export interface Insistence {
  /** The given source, with its termination signals counted while somebody listens for them. */
  readonly signals: SignalSource;
  /** Resolves with the exit code when the command is to end at once. */
  readonly forced: Promise<number>;
  /** Ends the command at once. */
  abandon(exitCode: number): void;
  /**
   * From now on a termination signal that no listener takes ends the command with the code that shells give it. The
   * kernel's default would do, but spares a process 1, which a client in a container is.
   */
  endUnheard(): void;
}

/** Watches for a user who insists: nothing that a command waits for may keep it from ending. */
export function watchInsistence(source: SignalSource, stderr: CliOutput): Insistence {
  const { promise, resolve } = Promise.withResolvers<number>();
  let count = 0;
  let isCounted = false;
  const take = (signal: string): void => {
    // Several listeners hear of one signal in one turn.
    if (isCounted || !TERMINATION.includes(signal)) return;
    isCounted = true;
    queueMicrotask(() => {
      isCounted = false;
    });
    count += 1;
    if (count !== LIMIT) return;
    const said = stderr.write(`\ngot ${LIMIT} SIGTERM/SIGINTs, forcefully exiting\n`);
    void said.catch(() => {}).then(() => resolve(EXIT_CODE));
  };
  let listeners = 0;
  return {
    signals: {
      on: (names, listener) => {
        const counts = names.some((name) => TERMINATION.includes(name)) ? 1 : 0;
        listeners += counts;
        const installed = source.on(names, (signal) => {
          listener(signal);
          take(signal);
        });
        return {
          [Symbol.dispose]: () => {
            listeners -= counts;
            installed[Symbol.dispose]();
          },
        };
      },
    },
    endUnheard: () =>
      void source.on(TERMINATION, (signal) => {
        if (listeners === 0) resolve(exitCodeOfSignal(signal));
      }),
    forced: promise,
    abandon: resolve,
  };
}
