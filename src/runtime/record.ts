import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { errnoCode } from '#base';
import type { ProcessIdentity } from './liveness.ts';

/** What a successor daemon needs to adopt a task. Lies in the task's directory, which does not survive a reboot. */
export interface TaskRecord {
  readonly version: 1;
  readonly id: string;
  readonly runtime: string;
  readonly cgroupsPath: string;
  readonly terminal: boolean;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
  readonly logPath: string | undefined;
  readonly init: ProcessIdentity;
  readonly monitor: ProcessIdentity;
  /** The runtime has programs to run when it deletes the container. */
  readonly hasPoststop?: boolean;
}

/** Writes a file so that a reader sees all of it or nothing. */
export function writeAtomically(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.new`;
  writeFileSync(temporary, content, { mode: 0o600 });
  renameSync(temporary, path);
}

export function writeRecord(path: string, record: TaskRecord): void {
  writeAtomically(path, JSON.stringify(record));
}

/**
 * Writes the record of a container that is whole, and a copy: without a record a running container would be taken for
 * ended, and nobody would know which processes to end.
 */
export function writeFinalRecord(path: string, record: TaskRecord): void {
  writeRecord(path, record);
  writeRecord(copyOf(path), record);
}

const copyOf = (path: string): string => `${path}.copy`;

/** Undefined when there is none, or none that can be read, copy included: what it described is then cleaned up. */
export function readRecord(path: string): TaskRecord | undefined {
  return readOne(path) ?? readOne(copyOf(path));
}

/** Whether the record itself is of no use, whatever became of its copy. */
export const isRecordLost = (path: string): boolean => readOne(path) === undefined;

function readOne(path: string): TaskRecord | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT' || errnoCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
  try {
    const value = JSON.parse(text) as TaskRecord;
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: TaskRecord): boolean {
  const isIdentity = (process: ProcessIdentity | undefined) =>
    typeof process?.pid === 'number' && typeof process.startTime === 'string';
  return (
    value?.version === 1 &&
    typeof value.id === 'string' &&
    typeof value.runtime === 'string' &&
    typeof value.cgroupsPath === 'string' &&
    isIdentity(value.init) &&
    isIdentity(value.monitor)
  );
}
