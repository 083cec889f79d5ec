import type { Logger } from '#base';
import type { Sys } from '#sys';
import type { CgroupParents } from './cgroup-parents.ts';
import type { ExecCgroups } from './exec-cgroup.ts';
import type { ExitWatch } from './exit-watch.ts';
import type { Layout } from './layout.ts';
import type { LaunchableRuntime } from './programs/launcher.ts';
import type { RuntimeNamespace } from './runtime-namespace.ts';
import type { SeccompProvider } from './seccomp/provider.ts';

/** What the parts of one runtime share. */
export interface RuntimeContext {
  readonly sys: Pick<Sys, 'cgroups' | 'files' | 'mounts' | 'processes' | 'sockets'>;
  readonly logger: Logger;
  readonly layout: Layout;
  readonly exits: ExitWatch;
  readonly execCgroups: ExecCgroups;
  readonly seccomp: SeccompProvider;
  readonly conmonPath: string;
  /** Where monitors and runtimes are started; undefined: here. */
  readonly namespace: RuntimeNamespace | undefined;
  readonly deadlines: Deadlines;
  /** @throws `invalid_argument` with docker's text for an unknown name. */
  binary(name: string): LaunchableRuntime;
  readonly cgroupParents: CgroupParents;
  /** Aborted by `close`. */
  readonly closing: AbortSignal;
}

/** Milliseconds that a call to the outside may take. */
export interface Deadlines {
  /** Monitor and `create`, `exec`. Default 60,000: image and volume mounts may be slow. */
  readonly createMs: number;
  /** `start`, `kill`, `update`, `delete`. Default 20,000. */
  readonly commandMs: number;
  /** How long output may go on after the exit was reported. Default 5,000. */
  readonly drainMs: number;
}
