import { eventually } from './eventually.ts';
import { type Client, clientEnvironment } from './programs.ts';

/** A client running in a terminal of its own, as a person has it. */
export interface TerminalSession extends Disposable {
  /** Everything shown so far. */
  screen(): string;
  type(text: string): void;
  resize(columns: number, rows: number): void;
  /** Waits until `text` has been shown (after the mark set by the last call). */
  sees(text: string | RegExp): Promise<void>;
  /** Types `text` again and again until `answer` has been shown: for keys that may come too early to count. */
  typeUntil(text: string, answer: string | RegExp): Promise<void>;
  readonly exited: Promise<number>;
}

/** Starts `client args…` in a terminal of 80 columns and 24 rows. */
export function openTerminal(client: Client, args: readonly string[], host: string): TerminalSession {
  let shown = '';
  let mark = 0;
  const decoder = new TextDecoder();
  const child = Bun.spawn([client.path, ...args], {
    env: { ...clientEnvironment({ host }), TERM: 'xterm' },
    terminal: {
      cols: 80,
      rows: 24,
      data: (_terminal, data) => {
        shown += decoder.decode(data, { stream: true });
      },
    },
  });
  const terminal = child.terminal;
  if (terminal === undefined) throw new Error('the runtime gave no terminal');
  return {
    screen: () => shown,
    type: (text) => void terminal.write(text),
    resize: (columns, rows) => terminal.resize(columns, rows),
    sees: async (text) => {
      mark = await eventually(`${String(text)} on the terminal, which shows ${JSON.stringify(shown)}`, () =>
        findAfter(shown, text, mark),
      );
    },
    typeUntil: async (text, answer) => {
      mark = await eventually(`${String(answer)} after typing`, () => {
        terminal.write(text);
        return findAfter(shown, answer, mark);
      });
    },
    exited: child.exited,
    [Symbol.dispose]: () => {
      child.kill('SIGKILL');
      terminal.close();
    },
  };
}

/** The position after the first match at or behind `from`, if any. */
function findAfter(shown: string, text: string | RegExp, from: number): number | undefined {
  const rest = shown.slice(from);
  if (typeof text === 'string') {
    const at = rest.indexOf(text);
    return at < 0 ? undefined : from + at + text.length;
  }
  const match = text.exec(rest);
  return match ? from + match.index + match[0].length : undefined;
}
