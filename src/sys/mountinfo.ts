import { readFileSync } from 'node:fs';
import { pathFromBytes } from './path-bytes.ts';
import type { MountInfo } from './types.ts';

/** The calling thread's mount table, in mount order. */
export function readMountInfo(): MountInfo[] {
  return parseMountInfo(pathFromBytes(readFileSync('/proc/thread-self/mountinfo')));
}

/** Parses the text of a mountinfo file (proc(5)). Lines that are not of its form are left out. */
export function parseMountInfo(text: string): MountInfo[] {
  return text.split('\n').flatMap((line) => parseLine(line) ?? []);
}

function parseLine(line: string): MountInfo | undefined {
  const separator = line.indexOf(' - ');
  if (separator < 0) return undefined;
  const [id, parentId, device, root, target, options, ...propagation] = line.slice(0, separator).split(' ');
  const [fstype, source, superOptions] = line.slice(separator + 3).split(' ');
  if (id === undefined || device === undefined || target === undefined || fstype === undefined)
    return undefined;
  return {
    id: Number(id),
    parentId: Number(parentId),
    device,
    root: unescapeOctal(root ?? '/'),
    target: unescapeOctal(target),
    options: (options ?? '').split(','),
    propagation,
    fstype,
    source: unescapeOctal(source ?? ''),
    superOptions: unescapeOctal(superOptions ?? '').split(','),
  };
}

/** The kernel writes space, tab, newline, backslash and `#` as `\040` and so on. */
function unescapeOctal(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
