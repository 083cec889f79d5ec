import type { AttachStream } from '#runtime';
import { ClientQueue } from '../stdio/client-queue.ts';
import { clientGone, pumpInput } from '../stdio/pump.ts';
import type { ClientStreams } from '../types.ts';
import type { ExecRecord } from './exec-record.ts';

/** How often a client is sent an empty chunk when its absence has a consequence. */
const PROBE_MS = 2000;
const NOTHING = new Uint8Array();

export interface ConversationOptions {
  readonly record: ExecRecord;
  readonly stream: AttachStream;
  readonly streams: ClientStreams;
  /** Settles when the exit has been recorded. */
  readonly ended: Promise<void>;
  /** Directory for output that the client has not taken. */
  readonly spillDirectory: string;
}

/** `gone`: the client went away without having pressed the detach keys. */
export type ConversationEnd = 'finished' | 'detached' | 'gone';

/** Copies between a client and an exec's process until the process ends, or the client detaches or goes away. */
export async function converse(options: ConversationOptions): Promise<ConversationEnd> {
  const { record, stream, streams, ended } = options;
  const { config } = record;
  const queue = new ClientQueue({
    write: (chunk) => streams.write(chunk),
    spillDirectory: options.spillDirectory,
  });
  stream.onOutput((name, data) => {
    const isWanted = name === 'stdout' ? config.attachStdout : config.attachStderr;
    if (isWanted) queue.push({ stream: name, data });
  });
  // A client asks for the exit code as soon as its output ends: the code must be there by then.
  void Promise.all([stream.ended, ended]).then(() => queue.end());
  const client = clientGone(streams);
  const input = copyInput(options);
  const probe = config.killOnDisconnect && !config.tty ? probeClient(streams) : undefined;
  const end = await Promise.race([
    queue.done.then(() => 'finished' as const),
    client.gone.then(() => 'gone' as const),
    ...(input ? [input] : []),
  ]);
  clearInterval(probe);
  client.stop();
  queue.close();
  return end;
}

/**
 * Over TCP a client that has ended looks like one that has closed its input, until something is sent to it. An empty
 * frame is nothing to the client.
 */
function probeClient(streams: ClientStreams): ReturnType<typeof setInterval> {
  return setInterval(() => void streams.write({ stream: 'stdout', data: NOTHING }), PROBE_MS);
}

/** Resolves when the input's end ends the conversation: the keys were pressed, or the client's terminal has gone. */
function copyInput(options: ConversationOptions): Promise<'detached' | 'gone'> | undefined {
  const { record, stream, streams } = options;
  const { tty, attachStdin } = record.config;
  if (!attachStdin || !streams.input) return undefined;
  const pumped = pumpInput(streams.input, stream, {
    detachKeys: tty ? record.detachKeys : undefined,
    closeInput: !tty,
    gone: streams.signal,
  });
  return pumped.then((end) => {
    if (end === 'detached') return end;
    return tty ? 'gone' : new Promise<never>(() => {});
  });
}
