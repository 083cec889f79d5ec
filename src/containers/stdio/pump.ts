import { DetachDetector } from '#base';
import type { ClientStreams } from '../types.ts';

/** Where a client's input goes: a container's session or an exec's process. */
export interface InputSink {
  write(chunk: Uint8Array): Promise<void>;
  closeInput(): Promise<void> | void;
}

export interface InputOptions {
  /** Watch for these keys; undefined: never detach (no terminal). */
  readonly detachKeys: Uint8Array | undefined;
  /** Half-close the process's stdin when the client's input ends. */
  readonly closeInput: boolean;
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
      if (forward.length > 0) await sink.write(forward);
      if (detached) return 'detached';
    }
  } catch {
    // A connection that broke ends the input just like an orderly end does.
  }
  if (options.closeInput) await sink.closeInput();
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
