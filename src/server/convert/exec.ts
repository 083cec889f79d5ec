import type { ExecCreateRequest, ExecInspectResponse } from '#api';
import { parseDetachKeys } from '#base';
import type { ExecConfig, ExecView } from '#containers';
import { omitEmpty } from './zero.ts';

export function toExecConfig(wire: ExecCreateRequest): ExecConfig {
  const size = terminalSize(wire.ConsoleSize);
  return {
    attachStdin: wire.AttachStdin ?? false,
    attachStdout: wire.AttachStdout ?? false,
    attachStderr: wire.AttachStderr ?? false,
    tty: wire.Tty ?? false,
    detachKeys: wire.DetachKeys ?? '',
    env: wire.Env ?? [],
    cmd: wire.Cmd ?? [],
    privileged: wire.Privileged ?? false,
    user: wire.User ?? '',
    workingDir: wire.WorkingDir ?? '',
    ...(size ? { consoleSize: size } : {}),
  };
}

/** `[rows, columns]`; undefined when not set or zero. */
export function terminalSize(
  size: readonly number[] | null | undefined,
): { rows: number; columns: number } | undefined {
  const [rows = 0, columns = 0] = size ?? [];
  return rows > 0 && columns > 0 ? { rows, columns } : undefined;
}

export function fromExecView(exec: ExecView): ExecInspectResponse {
  const [entrypoint = '', ...rest] = exec.config.cmd;
  return {
    ID: exec.id,
    Running: exec.running,
    ExitCode: exec.exitCode ?? null,
    ProcessConfig: {
      tty: exec.config.tty,
      entrypoint,
      arguments: rest,
      privileged: exec.config.privileged,
      ...omitEmpty('user', exec.config.user),
    },
    OpenStdin: exec.config.attachStdin,
    OpenStderr: exec.config.attachStderr,
    OpenStdout: exec.config.attachStdout,
    CanRemove: false,
    ContainerID: exec.containerId,
    DetachKeys: encodeKeys(exec.config.detachKeys),
    Pid: exec.pid,
  };
}

/** The bytes of the keys; nothing stands for the default ones. */
function encodeKeys(keys: string): string {
  return keys === '' ? '' : Buffer.from(parseDetachKeys(keys)).toString('base64');
}
