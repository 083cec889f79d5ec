import type { CliOutput, SignalSource } from '../core/context.ts';

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
  return {
    signals: {
      on: (names, listener) =>
        source.on(names, (signal) => {
          listener(signal);
          take(signal);
        }),
    },
    forced: promise,
    abandon: resolve,
  };
}
