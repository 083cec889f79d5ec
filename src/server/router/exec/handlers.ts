import { type ExecCreateRequest, type ExecStartRequest, STREAM_TYPE } from '#api';
import { errorMessage } from '#base';
import { fromExecView, terminalSize, toExecConfig } from '../../convert/exec.ts';
import { noExecCommand } from '../../errors.ts';
import { created, type HijackedConnection, json, noContent, ok, type Reply } from '../../http/reply.ts';
import { terminalSizeOf } from '../container/streams.ts';
import type { Call } from '../route.ts';
import type { ExecBackend } from './backend.ts';

type ExecRun = ReturnType<ExecBackend['startExec']>['run'];

export function execHandlers(backend: ExecBackend) {
  return {
    create({
      target,
      body,
      query: { killOnDisconnect },
    }: Call<{ killOnDisconnect: boolean | undefined }, ExecCreateRequest>): Reply {
      if (!body.Cmd || body.Cmd.length === 0) throw noExecCommand();
      const config = toExecConfig(body);
      const own = killOnDisconnect === undefined ? {} : { killOnDisconnect };
      return created({ Id: backend.createExec(target, { ...config, ...own }).id });
    },

    async start({ target, body }: Call<object, ExecStartRequest>): Promise<Reply> {
      const { config } = backend.exec(target);
      // Docker frames the output by what the start says, whatever the process has.
      const isRaw = body.Tty ?? false;
      const size = isRaw ? terminalSize(body.ConsoleSize) : undefined;
      const detach = body.Detach ?? false;
      const exec = backend.startExec(target, {
        detach,
        ...(size ? { consoleSize: size } : {}),
      });
      if (detach) {
        await exec.run(undefined);
        return ok();
      }
      return {
        kind: 'hijack',
        tty: isRaw,
        contentType: isRaw ? STREAM_TYPE.raw : STREAM_TYPE.multiplexed,
        run: (connection) => runAttached(exec.run, connection, config.attachStdin),
      };
    },

    inspect: ({ target }: Call<object, undefined>) => json(fromExecView(backend.exec(target))),

    async kill({
      target,
      query,
    }: Call<{ signal: string | undefined; all: boolean }, undefined>): Promise<Reply> {
      const { signal, all } = query;
      await backend.killExec(target, { all, ...(signal === undefined ? {} : { signal }) });
      return noContent();
    },

    async resize({ target, query }: Call<{ h: string; w: string }, undefined>): Promise<Reply> {
      await backend.resizeExec(target, terminalSizeOf(query));
      return ok();
    },
  };
}

/** The answer has begun, so a failure to start is told on the stream, as docker does. */
async function runAttached(run: ExecRun, connection: HijackedConnection, stdin: boolean): Promise<void> {
  const streams = connection.streams({ stdin });
  try {
    await run(streams);
  } catch (error) {
    await streams.write({ stream: 'stdout', data: Buffer.from(`${errorMessage(error)}\r\n`) });
    throw error;
  }
}
