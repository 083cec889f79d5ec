import type { SignalSource } from '../core/context.ts';

/** Signals delivered to this process. While a listener is there, the default action does not happen. */
export function processSignals(): SignalSource {
  return {
    on(signals, listener) {
      const installed = signals.flatMap((signal) => {
        const handler = () => listener(signal);
        try {
          process.on(signal, handler);
          return [{ signal, handler }];
        } catch {
          // KILL and STOP cannot be caught.
          return [];
        }
      });
      return {
        [Symbol.dispose]: () => {
          for (const { signal, handler } of installed) process.off(signal, handler);
        },
      };
    },
  };
}
