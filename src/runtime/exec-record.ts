import { readFileSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errnoCode } from '#base';
import type { ExecLayout } from './layout.ts';
import type { ProcessIdentity } from './liveness.ts';
import { writeAtomically } from './record.ts';

/**
 * What a successor daemon needs to adopt an exec. It is written when the process is known to run, so an exec's directory
 * without it is a start that nobody was told about.
 */
export interface ExecRecord {
  readonly version: 1;
  readonly process: ProcessIdentity;
  readonly monitor: ProcessIdentity;
  readonly note: string | undefined;
}

export function writeExecRecord(files: ExecLayout, record: ExecRecord): void {
  writeAtomically(files.record, JSON.stringify(record));
}

/** Marks the directory of an exec that is over; no exec has such an ID. */
const REMAINS = 'over-';

/** Removes an exec's files. An interrupted removal is taken neither for a running exec nor for the start of one. */
export function removeExecFiles({ directory }: ExecLayout): void {
  const remains = join(dirname(directory), `${REMAINS}${basename(directory)}`);
  try {
    renameSync(directory, remains);
  } catch (error) {
    // The container was removed, with everything below.
    if (errnoCode(error) === 'ENOENT') return;
    throw error;
  }
  rmSync(remains, { recursive: true, force: true });
}

/** Whether this name in the directory of all execs is that of an interrupted removal. */
export const isRemains = (name: string): boolean => name.startsWith(REMAINS);

/** Undefined when there is none, or none that can be read. */
export function readExecRecord(files: ExecLayout): ExecRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(files.record, 'utf8'));
    return isExecRecord(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || errnoCode(error) === 'ENOENT' || errnoCode(error) === 'ENOTDIR')
      return undefined;
    throw error;
  }
}

function isExecRecord(value: unknown): value is ExecRecord {
  const record = (value ?? {}) as Partial<ExecRecord>;
  const isIdentity = (process: Partial<ProcessIdentity> | undefined) =>
    typeof process?.pid === 'number' && typeof process.startTime === 'string';
  return (
    record.version === 1 &&
    isIdentity(record.process) &&
    isIdentity(record.monitor) &&
    (record.note === undefined || typeof record.note === 'string')
  );
}
