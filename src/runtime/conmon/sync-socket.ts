import type { Socket } from 'bun';
import { internal } from '#base';
import type { Fd } from '#sys';
import { connectFd } from './connect-fd.ts';

/** One line of conmon's sync pipe with api-version 1. */
export interface SyncMessage {
  /** A PID or an exit code; negative when the runtime failed. */
  readonly data: number;
  /** The runtime's error output. */
  readonly message?: string;
}

/**
 * Reads one line of the sync pipe. conmon escapes only quotes, backslashes and most control bytes of the runtime's
 * output, so what it leaves raw is escaped here before parsing.
 * @throws `internal` for anything that is not such a line.
 */
export function parseSyncLine(line: string): SyncMessage {
  const escaped = line.replace(
    /[\u0000-\u001f]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  let value: unknown;
  try {
    value = JSON.parse(escaped);
  } catch (error) {
    throw internal("cannot read the monitor's answer", { cause: error, details: { line } });
  }
  const { data, message } = (value ?? {}) as { data?: unknown; message?: unknown };
  if (typeof data !== 'number') throw internal("the monitor's answer has no status", { details: { line } });
  return typeof message === 'string' ? { data, message } : { data };
}

/** Our end of the socket that conmon uses as its sync, start and attach pipes. */
export class SyncSocket {
  readonly #lines: string[] = [];
  readonly #decoder = new TextDecoder();
  #socket: Socket<undefined> | undefined;
  #partial = '';
  #ended = false;
  #wake: (() => void) | undefined;

  /** Takes over `fd`. */
  static async open(fd: Fd): Promise<SyncSocket> {
    const sync = new SyncSocket();
    sync.#socket = await connectFd(fd, {
      data: (_, chunk) => sync.#push(chunk),
      end: () => sync.#end(),
      close: () => sync.#end(),
      error: () => sync.#end(),
    });
    return sync;
  }

  /** The next message. Undefined when conmon closed its end. One reader at a time. */
  async next(): Promise<SyncMessage | undefined> {
    while (this.#lines.length === 0 && !this.#ended)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    const line = this.#lines.shift();
    return line === undefined ? undefined : parseSyncLine(line);
  }

  /** Lets conmon go on where it waits for its start pipe. */
  proceed(): void {
    this.#socket?.write(new Uint8Array(1));
  }

  close(): void {
    this.#socket?.end();
    this.#end();
  }

  #push(chunk: Uint8Array): void {
    const lines = (this.#partial + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#partial = lines.pop() ?? '';
    this.#lines.push(...lines);
    if (lines.length > 0) this.#wake?.();
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }
}
