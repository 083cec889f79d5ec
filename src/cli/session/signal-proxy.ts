import type { CliContext } from '../core/context.ts';
import { exitCodeOfSignal } from '../core/errors.ts';

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

const FATAL = ['SIGINT', 'SIGTERM'];

/**
 * Passes signals of this process on to a container, in order, until disposed. A signal that the container no longer
 * takes is dropped: its end is noticed elsewhere. When a second one that asks for the end cannot be passed on either, there
 * is nothing to wait for: the command ends.
 */
export function proxySignals(ctx: CliContext, kill: (signal: string) => Promise<void>): Disposable {
  let last: Promise<void> = Promise.resolve();
  let lost = 0;
  return ctx.signals.on(PROXIED, (signal) => {
    const failed = () => {
      if (!FATAL.includes(signal)) return;
      lost += 1;
      if (lost > 1) ctx.abandon(exitCodeOfSignal(signal));
    };
    const passed = () => {
      lost = 0;
    };
    last = last.then(() => kill(signal.slice('SIG'.length))).then(passed, failed);
  });
}
