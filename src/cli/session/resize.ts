import type { TerminalSize } from '#client';
import type { CliContext } from '../core/context.ts';

const FIRST_RETRY_MS = 10;
const ATTEMPTS = 5;

/**
 * Keeps the other side's terminal as large as ours, until disposed. The first try may come before the process has
 * its terminal, so it is repeated a few times.
 */
export function followTerminalSize(
  ctx: CliContext,
  resize: (size: TerminalSize) => Promise<void>,
): Disposable {
  if (!ctx.stdout.isTerminal) return { [Symbol.dispose]: () => {} };
  let active = true;
  const push = async (): Promise<boolean> => {
    const size = ctx.stdout.size();
    if (!size || !active) return true;
    return await resize(size).then(
      () => true,
      () => false,
    );
  };
  const first = async () => {
    for (let attempt = 0; attempt < ATTEMPTS && active; attempt += 1) {
      if (await push()) return;
      await Bun.sleep(FIRST_RETRY_MS * (attempt + 1));
    }
  };
  void first();
  const listener = ctx.signals.on(['SIGWINCH'], () => void push());
  return {
    [Symbol.dispose]: () => {
      active = false;
      listener[Symbol.dispose]();
    },
  };
}

/** Rows and columns for a create request; zeros without a terminal. */
export function consoleSize(ctx: CliContext, tty: boolean): readonly [number, number] {
  const size = tty ? ctx.stdout.size() : undefined;
  return size ? [size.rows, size.columns] : [0, 0];
}
