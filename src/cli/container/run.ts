import type { ContainerCreateRequest } from '#api';
import type { EngineClient, HijackedStream } from '#client';
import { defineCommand } from '../core/command.ts';
import type { CliContext } from '../core/context.ts';
import { cliError, EXIT } from '../core/errors.ts';
import { detachKeysOf } from '../session/detach-keys.ts';
import { consoleSize, followTerminalSize } from '../session/resize.ts';
import { proxySignals } from '../session/signal-proxy.ts';
import { runSession } from '../session/streams.ts';
import { createContainer } from './create/create.ts';
import { CREATE_FLAGS, type CreateFlags, RUN_ONLY_FLAGS } from './create/flags.ts';
import { toCreateRequest } from './create/request.ts';
import { startFailure, withRunHint } from './run-errors.ts';

/** What a foreground run needs to know. */
interface Run {
  readonly ctx: CliContext;
  readonly client: EngineClient;
  readonly id: string;
  readonly request: ContainerCreateRequest;
  readonly autoRemove: boolean;
  readonly detachKeys: string;
  readonly sigProxy: boolean;
  readonly invokedAs: string;
}

/** Creates a container and starts it, attached unless told otherwise. */
export const command = defineCommand({
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  arguments: { min: 1 },
  flags: { ...CREATE_FLAGS, ...RUN_ONLY_FLAGS },
  interspersed: false,
  examples: ['gantry run --rm busybox echo hello', 'gantry run -d -p 8080:80 --name web busybox httpd -f'],
  async run({ args, flags, changed, invokedAs }, ctx) {
    if (flags.detach && flags.attach.length > 0) {
      throw cliError('conflicting options: cannot specify both --attach and --detach');
    }
    const request = await withRunHint(ctx, invokedAs, () =>
      buildRequest(flags, flags.detach, args, changed, ctx),
    );
    checkTerminal(ctx, request);
    const client = await ctx.client();
    const detachKeys = flags['detach-keys'] || ((await configuredKeys(ctx, request)) ?? '');
    const id = await withRunHint(ctx, invokedAs, () => createContainer(ctx, client, flags, request));
    const run: Run = {
      ctx,
      client,
      id,
      request,
      autoRemove: flags.rm,
      detachKeys,
      sigProxy: flags['sig-proxy'],
      invokedAs,
    };
    return isAttached(request) ? await runAttached(run) : await runDetached(run);
  },
});

async function buildRequest(
  flags: CreateFlags,
  detach: boolean,
  args: readonly string[],
  changed: ReadonlySet<string>,
  ctx: CliContext,
): Promise<ContainerCreateRequest> {
  const [image = '', ...command] = args;
  const request = await toCreateRequest(flags, {
    image,
    command,
    changed,
    env: ctx.env,
    consoleSize: consoleSize(ctx, flags.tty),
  });
  if (!detach) return request;
  return { ...request, AttachStdin: false, AttachStdout: false, AttachStderr: false, StdinOnce: false };
}

function checkTerminal(ctx: CliContext, { Tty, AttachStdin }: ContainerCreateRequest): void {
  if (Tty && AttachStdin && !ctx.stdin.isTerminal) throw cliError('the input device is not a TTY');
}

/** The user's configuration matters only where keys are read. */
async function configuredKeys(ctx: CliContext, request: ContainerCreateRequest): Promise<string | undefined> {
  return request.Tty && request.AttachStdin ? (await ctx.config()).detachKeys : undefined;
}

const isAttached = ({ AttachStdin, AttachStdout, AttachStderr }: ContainerCreateRequest): boolean =>
  Boolean(AttachStdin || AttachStdout || AttachStderr);

async function runDetached({ ctx, client, id, invokedAs }: Run): Promise<number> {
  const started = client.containers.start(id).then(
    () => undefined,
    (error: unknown) => startFailure(ctx, invokedAs, error),
  );
  const failure = await started;
  // The container exists: whoever asked for it gets its ID, also when it could not be started.
  await ctx.stdout.write(`${id}\n`);
  if (failure !== undefined) throw failure;
  return EXIT.ok;
}

/** Attach and wait are in place before the start, so that no output and no exit code can be missed. */
async function runAttached(run: Run): Promise<number> {
  const { ctx, client, id, request, invokedAs } = run;
  detachKeysOf(run.detachKeys);
  using _signals = run.sigProxy
    ? proxySignals(ctx, (signal) => client.containers.kill(id, signal))
    : undefined;
  const [stream, wait] = await withRunHint(ctx, invokedAs, () =>
    Promise.all([attach(run), client.containers.wait(id, run.autoRemove ? 'removed' : 'next-exit')]),
  );
  // The session starts before the container, so that its first byte already finds a reader.
  const session = runSession(ctx, {
    stream,
    tty: request.Tty ?? false,
    stdin: request.AttachStdin ?? false,
    stdout: request.AttachStdout ?? false,
    stderr: request.AttachStderr ?? false,
    detachKeys: run.detachKeys,
  });
  session.catch(() => {});
  try {
    await client.containers.start(id);
  } catch (error) {
    stream.close();
    await session.catch(() => {});
    if (run.autoRemove) await wait.exit.catch(() => {});
    throw startFailure(ctx, invokedAs, error);
  }
  using _resizing = request.Tty
    ? followTerminalSize(ctx, (size) => client.containers.resize(id, size))
    : undefined;
  if ((await session) === 'detached') return EXIT.ok;
  return await exitCode(run, wait.exit);
}

function attach({ client, id, request, detachKeys }: Run): Promise<HijackedStream> {
  return client.containers.attach(id, {
    stream: true,
    stdin: request.AttachStdin ?? false,
    stdout: request.AttachStdout ?? false,
    stderr: request.AttachStderr ?? false,
    detachKeys,
  });
}

async function exitCode(
  { ctx }: Run,
  exit: Promise<{ StatusCode: number; Error?: { Message: string } | null }>,
): Promise<number> {
  try {
    const result = await exit;
    if (result.Error?.Message) {
      await ctx.stderr.write(`Error waiting for container: ${result.Error.Message}\n`);
      return EXIT.usage;
    }
    return result.StatusCode;
  } catch (error) {
    await ctx.stderr.write(
      `Error waiting for container: ${error instanceof Error ? error.message : error}\n`,
    );
    return EXIT.usage;
  }
}
