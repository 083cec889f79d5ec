/** What the operator asks of a running daemon. */
export interface OperatorRequests {
  /** Resolves at the first SIGTERM or SIGINT. */
  readonly stop: Promise<NodeJS.Signals>;
}

const FORCED_AFTER = 3;
const FORCED_EXIT_CODE = 128;

/**
 * Listens for signals: SIGTERM and SIGINT ask for a clean stop, the third of them ends the process at once;
 * SIGHUP calls `reload`.
 */
export function listenForSignals(reload: () => void): OperatorRequests {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let received = 0;
  const onStop = (signal: NodeJS.Signals): void => {
    received += 1;
    if (received >= FORCED_AFTER) process.exit(FORCED_EXIT_CODE);
    resolve(signal);
  };
  process.on('SIGTERM', onStop);
  process.on('SIGINT', onStop);
  process.on('SIGHUP', reload);
  return { stop: promise };
}
