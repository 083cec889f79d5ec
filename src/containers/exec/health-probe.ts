import { SIGNALS } from '#base';
import type { Probe } from '../health/index.ts';
import type { ClientStreams } from '../types.ts';
import type { ExecService } from './exec-service.ts';

/** A little more than a result keeps, so that it can tell that there was more. */
const MAX_OUTPUT_BYTES = 4097;

/** A health check's command as an exec of the container, with the container's user, variables and directory. */
export function healthProbe(execs: ExecService, containerId: string, command: readonly string[]): Probe {
  return async (signal, onStarted) => {
    const { id } = execs.create(containerId, {
      attachStdin: false,
      attachStdout: true,
      attachStderr: true,
      tty: false,
      detachKeys: '',
      env: [],
      cmd: command,
      privileged: false,
      user: '',
      workingDir: '',
      // Nobody waits for the result of a probe of an earlier daemon.
      killOnDisconnect: true,
    });
    const kill = () => void execs.kill(id, SIGNALS.KILL, { all: true }).catch(() => {});
    try {
      const output = new CollectedOutput();
      const { run } = execs.start(id, {
        detach: false,
        onStarted: () => {
          onStarted();
          if (signal.aborted) kill();
          else signal.addEventListener('abort', kill, { once: true });
        },
      });
      await run(output);
      return { exitCode: execs.inspect(id).exitCode ?? -1, output: output.bytes() };
    } finally {
      signal.removeEventListener('abort', kill);
      execs.drop(id);
    }
  };
}

/** Takes everything, keeps the beginning. */
class CollectedOutput implements ClientStreams {
  readonly input = undefined;
  readonly signal = new AbortController().signal;
  readonly #chunks: Uint8Array[] = [];
  #length = 0;

  write({ data }: { readonly data: Uint8Array }): void {
    const rest = data.subarray(0, MAX_OUTPUT_BYTES - this.#length);
    if (rest.length === 0) return;
    this.#chunks.push(rest.slice());
    this.#length += rest.length;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.#chunks);
  }
}
