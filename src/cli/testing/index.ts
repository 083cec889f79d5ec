import { createFakeClient, type FakeCalls } from '#client/testing';
import type { CliInput, CliOutput, SignalSource } from '../core/context.ts';
import { runCli } from '../core/main.ts';

export interface CliRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly calls?: FakeCalls;
  /** What standard input holds. */
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Milliseconds since the epoch. */
  readonly now?: number;
  /** Makes standard input and output terminals. */
  readonly terminal?: boolean;
  readonly signals?: SignalSource;
}

/** 2024-01-02T03:04:05Z. */
export const TEST_NOW = Date.UTC(2024, 0, 2, 3, 4, 5);

function memoryOutput(isTerminal: boolean): CliOutput & { text(): string } {
  const chunks: Uint8Array[] = [];
  return {
    isTerminal,
    size: () => (isTerminal ? { columns: 100, rows: 30 } : undefined),
    write: async (data) =>
      void chunks.push(typeof data === 'string' ? new TextEncoder().encode(data) : data.slice()),
    text: () => Buffer.concat(chunks).toString(),
  };
}

function memoryInput(text: string, isTerminal: boolean): CliInput {
  return {
    isTerminal,
    async *chunks() {
      if (text !== '') yield new TextEncoder().encode(text);
    },
    raw: () => ({ [Symbol.dispose]: () => {} }),
  };
}

/** Runs one command line against a fake client, with everything in memory. No file of the user's is read. */
export async function runForTest(argv: readonly string[], options: RunOptions = {}): Promise<CliRun> {
  const terminal = options.terminal ?? false;
  const stdout = memoryOutput(terminal);
  const stderr = memoryOutput(terminal);
  const exitCode = await runCli({
    argv,
    env: { HOME: '/nonexistent', ...options.env },
    stdin: memoryInput(options.stdin ?? '', terminal),
    stdout,
    stderr,
    signals: options.signals ?? { on: () => ({ [Symbol.dispose]: () => {} }) },
    now: () => options.now ?? TEST_NOW,
    createClient: () => createFakeClient(options.calls ?? {}),
    commands: { daemon: async (args) => (args.includes('--fail') ? 7 : 0) },
  });
  return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
}
