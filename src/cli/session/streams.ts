import { DetachDetector, withDeadline } from '#base';
import type { HijackedStream } from '#client';
import type { CliContext, CliOutput } from '../core/context.ts';
import { detachKeysOf } from './detach-keys.ts';
import { Demultiplexer } from './multiplex.ts';

export interface SessionOptions {
  readonly stream: HijackedStream;
  /** The process has a terminal: one raw stream, and detach keys count. */
  readonly tty: boolean;
  /** Whether this process's input goes to the other side. */
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** In docker's notation; empty is the default. */
  readonly detachKeys: string;
  /** Pass the keys on as well, so that the engine can tell leaving from going away. Default false. */
  readonly announceDetach?: boolean;
}

const ANNOUNCE_MS = 2000;

export type SessionEnd = 'finished' | 'detached';

/**
 * Copies between the user's streams and an attached process until its output ends or the user detaches. The terminal
 * is in raw mode meanwhile. All output is handed to the kernel when this returns.
 */
export async function runSession(ctx: CliContext, options: SessionOptions): Promise<SessionEnd> {
  const keys = detachKeysOf(options.detachKeys);
  const isRaw = options.tty && options.stdin && ctx.stdin.isTerminal;
  using _terminal = isRaw ? ctx.stdin.raw() : undefined;
  const output = copyOutput(ctx, options);
  if (!options.stdin) {
    await options.stream.closeWrite();
    return await output;
  }
  const detached = copyInput(ctx, options, options.tty ? new DetachDetector(keys) : undefined);
  try {
    const end = await Promise.race([output, detached]);
    if (end === 'detached' && options.announceDetach) await announce(options.stream, keys, output);
    return end;
  } finally {
    options.stream.close();
    // Whichever lost the race must not become an unhandled rejection.
    output.catch(() => {});
    detached.catch(() => {});
  }
}

const NOWHERE: CliOutput = { isTerminal: false, size: () => undefined, write: async () => {} };

async function copyOutput(
  ctx: CliContext,
  { stream, tty, stdout, stderr }: SessionOptions,
): Promise<SessionEnd> {
  const outputs = { stdout: stdout ? ctx.stdout : NOWHERE, stderr: stderr ? ctx.stderr : NOWHERE };
  const demultiplexer = new Demultiplexer(outputs);
  for (let chunk = await stream.read(); chunk; chunk = await stream.read()) {
    await (tty ? outputs.stdout.write(chunk) : demultiplexer.write(chunk));
  }
  return 'finished';
}

/** Sends the keys and waits until the engine has closed the stream; not for ever, as it may be stuck. */
async function announce(stream: HijackedStream, keys: Uint8Array, output: Promise<unknown>): Promise<void> {
  const answered = stream.write(keys).then(() => output);
  await withDeadline(answered, ANNOUNCE_MS, 'detaching').catch(() => {});
}

/** Resolves only when the user detaches: the end of input ends the input, not the session. */
async function copyInput(
  ctx: CliContext,
  { stream }: SessionOptions,
  detector: DetachDetector | undefined,
): Promise<SessionEnd> {
  for await (const chunk of ctx.stdin.chunks()) {
    const { forward, detached } = detector?.feed(chunk) ?? { forward: chunk, detached: false };
    try {
      if (forward.length > 0) await stream.write(forward);
    } catch {
      // The process has gone; its output decides what happens next.
      break;
    }
    if (detached) return 'detached';
  }
  await stream.closeWrite().catch(() => {});
  return await new Promise<never>(() => {});
}
