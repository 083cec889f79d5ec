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
  /** Of the process, also of one that has ended; 0 before. */
  pid: number;
  /** While it runs: it holds the monitor's connections and whatever they have buffered. */
  process: ExecProcess | undefined;
  /** Settles when the process runs or could not be started; set once it is to be. */
  starting: Promise<unknown> | undefined;
}

export const viewOf = ({ id, containerId, config, status, exitCode, pid }: ExecRecord): ExecView => ({
  id,
  containerId,
  config,
  running: status === 'running',
  exitCode,
  pid,
});
