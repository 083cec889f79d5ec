import { invalidArgument } from '#base';
import type { MountRequest } from '../model.ts';

/** Options that exclude each other; a later one replaces an earlier one. */
const OPPOSITES: readonly (readonly string[])[] = [
  ['exec', 'noexec'],
  ['suid', 'nosuid'],
  ['dev', 'nodev'],
  ['ro', 'rw'],
  ['atime', 'noatime'],
  ['diratime', 'nodiratime'],
  ['relatime', 'norelatime', 'strictatime'],
  ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave', 'unbindable', 'runbindable'],
];
const VALUED = /^(mode|uid|gid|size|nr_inodes|nr_blocks|mpol)=[^,]+$/;
const SINGLE: readonly string[] = ['defaults', 'sync', 'async', 'bind', 'rbind', 'remount'];
const DEFAULTS: readonly string[] = ['noexec', 'nosuid', 'nodev'];

/**
 * Options of a `--tmpfs`: docker's defaults with the user's on top.
 * @throws `invalid_argument` (`invalid tmpfs option ["X"]`).
 */
export function tmpfsMountOptions(given: string): string[] {
  const merged = new Map<string, string>();
  for (const option of [...DEFAULTS, ...given.split(',').filter(Boolean)]) {
    const group = OPPOSITES.findIndex((options) => options.includes(option));
    if (group < 0 && !VALUED.test(option) && !SINGLE.includes(option)) {
      const parts = option.split('=', 2).map((part) => JSON.stringify(part));
      throw invalidArgument(`invalid tmpfs option [${parts.join(' ')}]`);
    }
    const key = group >= 0 ? `group ${group}` : (option.split('=', 1)[0] ?? option);
    merged.delete(key);
    if (option !== 'defaults') merged.set(key, option);
  }
  return [...merged.values()];
}

/** Options of a `--mount type=tmpfs`. */
export function tmpfsRequestOptions({ readOnly, tmpfsOptions = {} }: MountRequest): string[] {
  const extra = (tmpfsOptions.options ?? []).map((option) => option.join('='));
  if (readOnly) extra.push('ro');
  if (tmpfsOptions.mode) extra.push(`mode=${tmpfsOptions.mode.toString(8)}`);
  if (tmpfsOptions.sizeBytes) extra.push(`size=${tmpfsOptions.sizeBytes}`);
  return tmpfsMountOptions(extra.join(','));
}
