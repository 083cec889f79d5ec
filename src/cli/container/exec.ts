import type { ExecCreateRequest } from '#api';
import type { EngineClient } from '#client';
import { defineCommand } from '../core/command.ts';
import type { CliContext } from '../core/context.ts';
import { cliError, EXIT } from '../core/errors.ts';
import { consoleSize, followTerminalSize } from '../session/resize.ts';
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
    interactive: { type: 'bool', short: 'i', summary: 'Keep standard input open' },
    privileged: { type: 'bool', summary: 'Give it all privileges of the host' },
    tty: { type: 'bool', short: 't', summary: 'Give it a terminal' },
    user: { type: 'string', short: 'u', summary: 'User and group (name|uid[:group|gid])' },
    workdir: { type: 'string', short: 'w', summary: 'Working directory' },
  },
  interspersed: false,
  examples: ['gantry exec -it web sh'],
  async run({ args, flags }, ctx) {
    const [name = '', ...cmd] = args;
    const attached = !flags.detach;
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
    const { Id } = await client.exec.create(name, request);
    if (!attached) {
      await client.exec.startDetached(Id, { Detach: true, Tty: flags.tty });
      return EXIT.ok;
    }
    return await runExec(ctx, client, Id, request);
  },
});

async function runExec(
  ctx: CliContext,
  client: EngineClient,
  id: string,
  request: ExecCreateRequest,
): Promise<number> {
  const tty = request.Tty ?? false;
  const start = { Detach: false, Tty: tty, ...(request.ConsoleSize && { ConsoleSize: request.ConsoleSize }) };
  const stream = await client.exec.attach(id, start);
  using _resizing = tty ? followTerminalSize(ctx, (size) => client.exec.resize(id, size)) : undefined;
  const end = await runSession(ctx, {
    stream,
    tty,
    stdin: request.AttachStdin ?? false,
    stdout: true,
    stderr: true,
    detachKeys: request.DetachKeys ?? '',
  });
  if (end === 'detached') return EXIT.ok;
  return (await client.exec.inspect(id)).ExitCode ?? EXIT.ok;
}
