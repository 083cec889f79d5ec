import { spawn } from 'node:child_process';
import { deadlineExceeded, errnoCode, internal, unavailable } from '#base';

export interface CommandOptions {
  /** Milliseconds after which the command is killed. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly env?: Readonly<Record<string, string>>;
  /** Receives standard error line by line, besides being kept for the error text. */
  readonly onLine?: (line: string) => void;
}

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const KEPT_LINES = 20;

/** Where the program is, or undefined. Only the system's own directories are searched. */
export const findProgram = (name: string): string | undefined => Bun.which(name, { PATH }) ?? undefined;

/**
 * Runs a program of the host and yields its standard output.
 * @throws `unavailable` when it is not there, `deadline_exceeded`, `internal` with its last words when it fails.
 */
export async function* runCommand(
  command: readonly [program: string, ...args: string[]],
  options: CommandOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const [program, ...args] = command;
  const path = findProgram(program);
  if (path === undefined) throw unavailable(`${program} is not installed`);
  const child = spawn(path, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH, LC_ALL: 'C', ...options.env },
    detached: true,
  });
  const ended = new Promise<Error | number | null>((resolve) => {
    child.once('error', resolve);
    child.once('close', resolve);
  });
  let isLate = false;
  let hasEnded = false;
  void ended.then(() => {
    hasEnded = true;
  });
  // Afterwards its number may be that of another process group.
  const stop = () => {
    if (!hasEnded) killGroup(child.pid);
  };
  const timer = setTimeout(() => {
    isLate = true;
    stop();
  }, options.timeoutMs);
  options.signal?.addEventListener('abort', stop, { once: true });
  const lastLines = collectLines(child.stderr, options.onLine);
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>;
    const end = await ended;
    options.signal?.throwIfAborted();
    if (isLate) throw deadlineExceeded(`${program}: not finished within ${options.timeoutMs} ms`);
    if (end instanceof Error) throw unavailable(`cannot run ${program}: ${end.message}`, { cause: end });
    if (end !== 0) throw internal(`${program} failed (${end ?? 'killed'}): ${lastLines().join('\n').trim()}`);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', stop);
    stop();
    await ended;
  }
}

/** {@link runCommand} for its effect: the output is dropped. */
export async function runToEnd(
  command: readonly [program: string, ...args: string[]],
  options: CommandOptions,
): Promise<void> {
  for await (const _chunk of runCommand(command, options));
}

/** The program leads its own process group, so that its children end with it. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    // Nothing of the group is left.
    if (errnoCode(error) !== 'ESRCH') throw error;
  }
}

function collectLines(
  stream: NodeJS.ReadableStream,
  onLine: ((line: string) => void) | undefined,
): () => readonly string[] {
  const kept: string[] = [];
  let rest = '';
  const take = (line: string) => {
    kept.push(line);
    if (kept.length > KEPT_LINES) kept.shift();
    onLine?.(line);
  };
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n');
    rest = (lines.pop() ?? '').slice(-4096);
    for (const line of lines) take(line);
  });
  return () => (rest === '' ? kept : [...kept, rest]);
}
