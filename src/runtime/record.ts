import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { errnoCode, setAside } from '#base';
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

/**
 * Writes a damaged or missing record again from its copy, or the reverse, and sets what was damaged aside. Returns what was
 * found wrong, file by file; a record that was never final has no copy and is left alone.
 */
export function healRecord(path: string): { readonly file: string; readonly aside: string | undefined }[] {
  const copy = copyOf(path);
  const record = readOne(path) ?? readOne(copy);
  // The daemon died while the container was made.
  if (record?.init.pid === 0) return [];
  const damaged = [path, copy].filter((file) => readOne(file) === undefined);
  return damaged.map((file) => {
    const aside = existsSync(file) ? setAside(file) : undefined;
    if (record) writeRecord(file, record);
    return { file, aside };
  });
}

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
