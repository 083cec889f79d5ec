import { errnoCode } from '#base';
import type { CliOutput } from '../core/context.ts';
import { EXIT, silentExit } from '../core/errors.ts';
import { isatty } from './terminal.ts';

const WRITE_BUFFER_BYTES = 64 * 1024;

/**
 * Writes to a file descriptor. A pipe whose reader is slow makes `write` wait while the event loop goes on.
 * Not `process.stdout`: loading it costs more than a whole short command.
 */
export function fdOutput(fd: 1 | 2): CliOutput {
  let sink: Bun.FileSink | undefined;
  let last: Promise<void> = Promise.resolve();
  let failure: unknown;
  let terminal: boolean | undefined;
  const writeNow = async (data: string | Uint8Array): Promise<void> => {
    if (failure) throw failure;
    sink ??= (fd === 1 ? Bun.stdout : Bun.stderr).writer({ highWaterMark: WRITE_BUFFER_BYTES });
    try {
      await sink.write(data);
      await sink.flush();
    } catch (error) {
      // A reader that has gone (`| head`) ends the command as SIGPIPE would, without a word.
      failure = errnoCode(error) === 'EPIPE' ? silentExit(EXIT.brokenPipe) : error;
      throw failure;
    }
  };
  return {
    get isTerminal() {
      terminal ??= isatty(fd);
      return terminal;
    },
    size() {
      if (!this.isTerminal) return undefined;
      // The stream class is loaded only for terminals, where a person waits, not a script.
      const stream = (fd === 1 ? process.stdout : process.stderr) as typeof process.stdout & {
        _refreshSize?: () => void;
      };
      stream._refreshSize?.();
      const { columns, rows } = stream;
      return columns > 0 && rows > 0 ? { columns, rows } : undefined;
    },
    write(data) {
      if (data.length === 0) return last;
      const done = last.then(() => writeNow(data));
      last = done.catch(() => {});
      return done;
    },
  };
}
