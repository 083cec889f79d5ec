import { type ContainerWaitResponse, STREAM_TYPE, type WaitConditionName } from '#api';
import { errorMessage } from '#base';
import { badResize, badWaitCondition, noLogStream, RefusedAttach } from '../../errors.ts';
import { encodeAll } from '../../http/framing.ts';
import { ok, type Reply, stream } from '../../http/reply.ts';
import { acceptWebSocket } from '../../http/websocket/handshake.ts';
import { serveWebSocket } from '../../http/websocket/streams.ts';
import type { Call } from '../route.ts';
import type { ContainerBackend } from './backend.ts';

export interface LogsQuery {
  readonly follow: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly since: bigint | undefined;
  readonly until: bigint | undefined;
  readonly timestamps: boolean;
  readonly details: boolean;
  readonly tail: string;
}

export interface AttachQuery {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly logs: boolean;
  readonly stream: boolean;
  readonly detachKeys: string;
}

export interface WebSocketQuery extends AttachQuery {
  /** Set by the version table: messages are text. */
  readonly text: boolean;
}

export interface WaitQuery {
  readonly condition: string;
  /** Set by the version table: whether the status comes before the exit, and whether an error is told. */
  readonly early: boolean;
  readonly mute: boolean;
}

const CONDITIONS: readonly string[] = ['not-running', 'next-exit', 'removed'] satisfies WaitConditionName[];

/** Handlers that answer with a stream or take the connection over. */
export function containerStreams(backend: ContainerBackend) {
  return {
    logs({ target, query, request }: Call<LogsQuery, undefined>): Reply {
      if (!query.stdout && !query.stderr) throw noLogStream();
      const { tty } = backend.get(target).config;
      const batches = backend.logs(target, { ...logOptions(query), signal: request.signal });
      return stream(tty ? STREAM_TYPE.raw : STREAM_TYPE.multiplexed, async (sink) => {
        for await (const chunks of batches) await sink.write(encodeAll(chunks, tty));
      });
    },

    attach({ target, query }: Call<AttachQuery, undefined>): Reply {
      const attachment = attachOrRefuse(backend, target, query);
      return {
        kind: 'hijack',
        tty: attachment.tty,
        contentType: attachment.tty ? STREAM_TYPE.raw : STREAM_TYPE.multiplexed,
        run: (connection) =>
          attachment.run(connection.streams({ stdin: query.stdin && attachment.openStdin })),
      };
    },

    attachWebSocket({ target, query, request }: Call<WebSocketQuery, undefined>): Reply {
      const attachment = backend.attach(target, query);
      const handshake = acceptWebSocket(request);
      const stdin = query.stdin && attachment.openStdin;
      const payload = query.text ? 'text' : 'binary';
      return {
        kind: 'hijack',
        // Both streams are sent as they are: the messages are the frames.
        tty: true,
        contentType: STREAM_TYPE.raw,
        handshake,
        run: (connection) =>
          serveWebSocket(connection, { stdin, payload }, (streams) => attachment.run(streams)),
      };
    },

    wait({ target, query, request }: Call<WaitQuery, undefined>): Reply {
      const condition = query.condition || 'not-running';
      if (!CONDITIONS.includes(condition)) throw badWaitCondition(query.condition);
      const { exit } = backend.wait(target, condition as WaitConditionName, request.signal);
      // Clients start the container once they have seen the status: it must not wait for the exit.
      return stream(
        STREAM_TYPE.json,
        async (sink) => {
          const result = await waitResult(exit);
          if (!result.Error || !query.mute) await sink.write(`${JSON.stringify(result)}\n`);
        },
        {
          flush: query.early,
        },
      );
    },

    async resize({ target, query }: Call<{ h: string; w: string }, undefined>): Promise<Reply> {
      await backend.resize(target, terminalSizeOf(query));
      return ok();
    },
  };
}

function attachOrRefuse(backend: ContainerBackend, target: string, query: AttachQuery) {
  try {
    return backend.attach(target, query);
  } catch (error) {
    throw new RefusedAttach(error);
  }
}

function logOptions({ since, until, tail, ...flags }: LogsQuery) {
  // Anything that is no number means all lines, as in docker.
  const lines = /^\d+$/.test(tail) ? Number(tail) : undefined;
  return {
    ...flags,
    ...(since === undefined ? {} : { sinceNs: since }),
    ...(until === undefined ? {} : { untilNs: until }),
    ...(lines === undefined ? {} : { tail: lines }),
  };
}

async function waitResult(
  exit: Promise<{ readonly exitCode: number; readonly error?: string }>,
): Promise<ContainerWaitResponse> {
  try {
    const { exitCode, error } = await exit;
    return { StatusCode: exitCode, ...(error ? { Error: { Message: error } } : {}) };
  } catch (error) {
    return { StatusCode: -1, Error: { Message: errorMessage(error) } };
  }
}

/** Rows and columns of a resize query. @throws `invalid_argument` with docker's text. */
export function terminalSizeOf(query: { readonly h: string; readonly w: string }): {
  rows: number;
  columns: number;
} {
  return { rows: uint32('height', query.h), columns: uint32('width', query.w) };
}

function uint32(what: 'height' | 'width', text: string): number {
  if (!/^-?\d+$/.test(text)) throw badResize(what, text, false);
  const value = Number(text);
  if (value < 0 || value > 0xffffffff) throw badResize(what, text, true);
  return value;
}
