import type { ExecProcess } from '#runtime';
import type { ContainerId } from '../model.ts';
import type { ExecConfig, ExecView } from '../types.ts';

/** One exec from its creation until a while after its end. Not stored; while it runs, a note of it lies with the runtime. */
export interface ExecRecord {
  readonly id: string;
  readonly containerId: ContainerId;
  readonly config: ExecConfig;
  readonly detachKeys: Uint8Array;
  status: 'created' | 'running' | 'exited';
  exitCode: number | undefined;
  process: ExecProcess | undefined;
  /** Settles when the process runs or could not be started; set once it is to be. */
  starting?: Promise<unknown>;
}

export const viewOf = ({ id, containerId, config, status, exitCode, process }: ExecRecord): ExecView => ({
  id,
  containerId,
  config,
  running: status === 'running',
  exitCode,
  pid: process?.pid ?? 0,
});
