import type { ExecCreateRequest } from '#api';
import { isNotFound } from '#base';
import type { EngineClient } from '#client';
import { defineCommand } from '../core/command.ts';
import type { CliContext } from '../core/context.ts';
import { cliError, detachedByKeys, EXIT, exitCodeOfSignal } from '../core/errors.ts';
import { consoleSize, followTerminalSize } from '../session/resize.ts';
import { proxySignals } from '../session/signal-proxy.ts';
import { runSession } from '../session/streams.ts';
import { readEnvironment } from './create/environment.ts';
import { validateEnv } from './create/validators.ts';

/** Runs a command in a running container. Its exit code becomes ours. */
export const command = defineCommand({
  usage: '[OPTIONS] CONTAINER COMMAND [ARG...]',
  arguments: { min: 2 },
  flags: {
    detach: { type: 'bool', short: 'd', summary: 'Run in the background' },
    'detach-keys': { type: 'string', summary: 'Keys that detach from the command' },
    env: {
      type: 'list',
      short: 'e',
      summary: 'Environment variable (name=value, or name to pass on)',
      validate: validateEnv,
    },
    'env-file': { type: 'list', summary: 'File of environment variables' },
    'kill-on-disconnect': {
      type: 'bool',
      summary: 'Kill the command and all it has started when this client goes away (own extension)',
    },
    interactive: { type: 'bool', short: 'i', summary: 'Keep standard input open' },
    privileged: { type: 'bool', summary: 'Give it all privileges of the host' },
    'sig-proxy': {
      type: 'bool',
      default: 'true',
      summary: 'Pass signals on to the command, unless it has a terminal (own extension)',
    },
    tty: { type: 'bool', short: 't', summary: 'Give it a terminal' },
    user: { type: 'string', short: 'u', summary: 'User and group (name|uid[:group|gid])' },
    workdir: { type: 'string', short: 'w', summary: 'Working directory' },
  },
  interspersed: false,
  examples: ['gantry exec -it web sh'],
  async run({ args, flags }, ctx) {
    const [name = '', ...cmd] = args;
    const attached = !flags.detach;
    const killOnDisconnect = flags['kill-on-disconnect'];
    if (killOnDisconnect && flags.detach)
      throw cliError('conflicting options: cannot specify both --detach and --kill-on-disconnect');
    const size = consoleSize(ctx, flags.tty);
    const request: ExecCreateRequest = {
      User: flags.user,
      Privileged: flags.privileged,
      Tty: flags.tty,
      ...(size[0] > 0 && { ConsoleSize: size }),
      AttachStdin: attached && flags.interactive,
      AttachStderr: attached,
      AttachStdout: attached,
      DetachKeys: flags['detach-keys'] || (flags.tty ? ((await ctx.config()).detachKeys ?? '') : ''),
      Env: await readEnvironment(flags['env-file'], flags.env, ctx.env),
      WorkingDir: flags.workdir,
      Cmd: cmd,
    };
    if (request.AttachStdin && request.Tty && !ctx.stdin.isTerminal)
      throw cliError('the input device is not a TTY');
    const client = await ctx.client();
    const { Id } = await client.exec.create(name, request, killOnDisconnect ? { killOnDisconnect } : {});
    if (!attached) {
      await client.exec.startDetached(Id, { Detach: true, Tty: flags.tty });
      return EXIT.ok;
    }
    const sigProxy = flags['sig-proxy'] && !flags.tty;
    return await runExec(ctx, client, Id, { request, sigProxy, killOnDisconnect });
  },
});

interface AttachedExec {
  readonly request: ExecCreateRequest;
  readonly sigProxy: boolean;
  readonly killOnDisconnect: boolean;
}

async function runExec(
  ctx: CliContext,
  client: EngineClient,
  id: string,
  { request, sigProxy, killOnDisconnect }: AttachedExec,
): Promise<number> {
  const tty = request.Tty ?? false;
  const start = { Detach: false, Tty: tty, ...(request.ConsoleSize && { ConsoleSize: request.ConsoleSize }) };
  const stream = await client.exec.attach(id, start);
  using _resizing = tty ? followTerminalSize(ctx, (size) => client.exec.resize(id, size)) : undefined;
  const interrupted = Promise.withResolvers<number>();
  using _signals = sigProxy ? forwardSignals(ctx, client, id, interrupted.resolve) : undefined;
  const session = runSession(ctx, {
    stream,
    tty,
    stdin: request.AttachStdin ?? false,
    stdout: true,
    stderr: true,
    detachKeys: request.DetachKeys ?? '',
    announceDetach: killOnDisconnect,
  });
  const end = await Promise.race([session, interrupted.promise]);
  if (typeof end === 'number') {
    stream.close();
    session.catch(() => {});
    return end;
  }
  if (end === 'detached') throw detachedByKeys();
  return (await client.exec.inspect(id)).ExitCode ?? EXIT.ok;
}

/** An engine that cannot signal an exec does not make this client immortal: it ends by the signal, as docker's does. */
function forwardSignals(
  ctx: CliContext,
  client: EngineClient,
  id: string,
  onRefused: (exitCode: number) => void,
): Disposable {
  return proxySignals(ctx, async (signal) => {
    try {
      await client.exec.kill(id, { signal, all: false });
    } catch (error) {
      if (isNotFound(error)) onRefused(exitCodeOfSignal(signal));
    }
  });
}
