/** Whether a descriptor is a terminal. Loads node:tty (2 ms) at the first call, not at start. */
export function isatty(fd: number): boolean {
  const tty = process.getBuiltinModule('node:tty');
  return tty.isatty(fd);
}

/**
 * Puts the terminal on standard input into raw mode, as cfmakeraw(3) does: the container's own terminal does all
 * editing, echo and newline translation. Dispose to restore.
 */
export function rawTerminal(): Disposable {
  const saved = stty(['-g']);
  if (saved === undefined || stty(['raw', '-echo', '-iexten']) === undefined) return nodeRawMode();
  return { [Symbol.dispose]: () => void stty([saved.trim()]) };
}

function stty(args: readonly string[]): string | undefined {
  try {
    const result = Bun.spawnSync(['stty', ...args], { stdin: 'inherit', stdout: 'pipe', stderr: 'ignore' });
    return result.success ? result.stdout.toString() : undefined;
  } catch {
    return undefined;
  }
}

/** Without stty: leaves the terminal's output translation on, which shows as doubled carriage returns only in captures. */
function nodeRawMode(): Disposable {
  process.stdin.setRawMode(true);
  return { [Symbol.dispose]: () => void process.stdin.setRawMode(false) };
}
