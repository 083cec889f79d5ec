import { statSync } from 'node:fs';

/** Rotated files of a log, oldest first, then the current one: `log.2`, `log.1`, `log`. Only those that exist. */
export function logFiles(path: string): string[] {
  const files: string[] = [];
  for (let number = 1; exists(rotatedName(path, number)); number += 1) {
    files.unshift(rotatedName(path, number));
  }
  return exists(path) ? [...files, path] : files;
}

export const rotatedName = (path: string, number: number): string => `${path}.${number}`;

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;
