import { chmodSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

/** In the environment of everything a run starts: its name. */
export const RUN_VARIABLE = 'GANTRY_TEST_RUN';

/** One call of `make test` or `make soak`. Everything it makes on the machine bears its name, so that runs can tell theirs. */
export interface TestRun {
  /** `gantry-run-…`, of this run only. */
  readonly name: string;
  /** Directory for all temporary files of its processes (`TMPDIR`). */
  readonly directory: string;
}

/**
 * The environment that makes a process the first of a new run, with what it starts. It has to be that of a new process: what
 * a program changes in its own, Bun does not pass on.
 */
export function newRunEnvironment(): Record<string, string> {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-run-'));
  // As /tmp is: the mapped root of a user namespace has to get through.
  chmodSync(directory, 0o711);
  return { [RUN_VARIABLE]: basename(directory), TMPDIR: directory };
}

/** The run that this process belongs to. */
export function currentRun(): TestRun {
  const name = process.env[RUN_VARIABLE];
  if (name === undefined) throw new Error(`no test run: ${RUN_VARIABLE} is not set`);
  return { name, directory: tmpdir() };
}

/** Removes the run's directory, unless something has leaked into it: that may be mounted, so it is left to be looked at. */
export function endRun({ directory }: TestRun): void {
  if (readdirSync(directory).length === 0) rmdirSync(directory);
}

/** `stem` as the name of something outside the temporary directory: a cgroup, a directory in /run. It tells whose it is. */
export const ownName = (stem: string): string => `${process.env[RUN_VARIABLE] ?? 'gantry-test'}-${stem}`;
