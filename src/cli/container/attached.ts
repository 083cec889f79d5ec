import type { ContainerInspectResponse } from '#api';
import type { EngineClient, WaitCondition } from '#client';
import type { CliContext } from '../core/context.ts';
import { cliError } from '../core/errors.ts';
import { detachKeysOf } from '../session/detach-keys.ts';
import { followTerminalSize } from '../session/resize.ts';
import { proxySignals } from '../session/signal-proxy.ts';
import { runSession } from '../session/streams.ts';

export interface AttachedOptions {
  readonly container: ContainerInspectResponse;
  /** Whether our input goes to the container, if it takes any. */
  readonly stdin: boolean;
  readonly sigProxy: boolean;
  readonly detachKeys: string;
  /** Called once everything listens; `start` starts the container here. */
  readonly ready?: () => Promise<void>;
}

/** Attaches to a container that exists and answers its exit code, or that the user has detached. */
export async function runAttachedTo(
  ctx: CliContext,
  client: EngineClient,
  options: AttachedOptions,
): Promise<number | 'detached'> {
  const { container } = options;
  const { Id: id, Config } = container;
  const stdin = options.stdin && Config.OpenStdin;
  if (Config.Tty && stdin && !ctx.stdin.isTerminal) throw cliError('the input device is not a TTY');
  const detachKeys =
    options.detachKeys || (Config.Tty && stdin ? ((await ctx.config()).detachKeys ?? '') : '');
  detachKeysOf(detachKeys);
  using _signals = options.sigProxy
    ? proxySignals(ctx, (signal) => client.containers.kill(id, signal))
    : undefined;
  const [stream, wait] = await Promise.all([
    client.containers.attach(id, { stream: true, stdin, stdout: true, stderr: true, detachKeys }),
    client.containers.wait(id, waitCondition(options)),
  ]);
  const session = runSession(ctx, { stream, tty: Config.Tty, stdin, stdout: true, stderr: true, detachKeys });
  session.catch(() => {});
  try {
    await options.ready?.();
  } catch (error) {
    stream.close();
    await session.catch(() => {});
    throw error;
  }
  using _resizing = Config.Tty
    ? followTerminalSize(ctx, (size) => client.containers.resize(id, size))
    : undefined;
  if ((await session) === 'detached') return 'detached';
  const result = await wait.exit;
  if (result.Error?.Message) throw cliError(result.Error.Message);
  return result.StatusCode;
}

function waitCondition({ container, ready }: AttachedOptions): WaitCondition {
  if (container.HostConfig.AutoRemove) return 'removed';
  return ready ? 'next-exit' : 'not-running';
}
