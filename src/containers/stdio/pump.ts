import { DetachDetector } from '#base';
import type { ClientStreams } from '../types.ts';

/** Where a client's input goes: a container's session or an exec's process. */
export interface InputSink {
  /** Resolves when it takes more. Must not hold a client that has gone (`gone`) for longer than the process lives. */
  write(chunk: Uint8Array, gone: AbortSignal): Promise<void>;
  closeInput(): void;
}

export interface InputOptions {
  /** Watch for these keys; undefined: never detach (no terminal). */
  readonly detachKeys: Uint8Array | undefined;
  /** Half-close the process's stdin when the client's input ends. */
  readonly closeInput: boolean;
  /** Aborted when the client is gone. */
  readonly gone: AbortSignal;
}

/** How the client's input came to its end. */
export type InputEnd = 'ended' | 'detached';

/** Copies a client's input to the process until it ends, breaks, or the detach keys are pressed. */
export async function pumpInput(
  input: AsyncIterable<Uint8Array>,
  sink: InputSink,
  options: InputOptions,
): Promise<InputEnd> {
  const detector = options.detachKeys ? new DetachDetector(options.detachKeys) : undefined;
  try {
    for await (const chunk of input) {
      const { forward, detached } = detector?.feed(chunk) ?? { forward: chunk, detached: false };
      if (forward.length > 0) await sink.write(forward, options.gone);
      if (detached) return 'detached';
    }
  } catch {
    // A connection that broke ends the input just like an orderly end does.
  }
  if (options.closeInput) sink.closeInput();
  return 'ended';
}

/** Resolves when the client has gone. The listener is removed upon `stop`. */
export function clientGone({ signal }: Pick<ClientStreams, 'signal'>): {
  readonly gone: Promise<void>;
  stop(): void;
} {
  const { promise, resolve } = Promise.withResolvers<void>();
  const listener = () => resolve();
  if (signal.aborted) resolve();
  else signal.addEventListener('abort', listener, { once: true });
  return { gone: promise, stop: () => signal.removeEventListener('abort', listener) };
}
