import type { CliContext } from '../core/context.ts';

/** What is passed on. CHLD, PIPE and URG are this process's own business; KILL and STOP cannot be caught. */
const PROXIED = [
  'HUP',
  'INT',
  'QUIT',
  'TERM',
  'USR1',
  'USR2',
  'ALRM',
  'CONT',
  'TSTP',
  'TTIN',
  'TTOU',
  'IO',
  'XCPU',
  'VTALRM',
].map((name) => `SIG${name}`);

/**
 * Passes signals of this process on to a container, in order, until disposed. A signal that the container no longer
 * takes is dropped: its end is noticed elsewhere.
 */
export function proxySignals(ctx: CliContext, kill: (signal: string) => Promise<void>): Disposable {
  let last: Promise<void> = Promise.resolve();
  return ctx.signals.on(PROXIED, (signal) => {
    last = last.then(() => kill(signal.slice('SIG'.length))).catch(() => {});
  });
}
