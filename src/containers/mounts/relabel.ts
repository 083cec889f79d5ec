import { constants, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, normalize } from 'node:path';
import { errnoCode, invalidArgument } from '#base';
import { formatLabel, tryParseLabel } from '#runtime';
import type { RootedDir, Sys } from '#sys';
import type { Container, MountPoint } from '../model.ts';

const ATTRIBUTE = 'security.selinux';
/** The level that every container can reach. */
const SHARED_LEVEL = 's0';

/** Directories of the host that would stop working. */
const EXCLUDED: ReadonlySet<string> = new Set([
  ...['/', '/bin', '/boot', '/dev', '/etc', '/etc/passwd', '/etc/pki', '/etc/shadow', '/home', '/lib'],
  ...['/lib64', '/media', '/opt', '/proc', '/root', '/run', '/sbin', '/srv', '/sys', '/system', '/tmp'],
  ...['/usr', '/var', '/var/lib', '/var/log'],
]);

/**
 * Gives the source of a mount with the mode `z` or `Z` the container's label, with all that is below it: `Z` for this
 * container alone, `z` for all, as for every volume. Nothing happens to other mounts, without a label, or on a file
 * system without labels.
 * @throws `invalid_argument` for directories of the system.
 */
export function relabelMount(
  sys: Pick<Sys, 'files'>,
  { type, source, mode }: Pick<MountPoint, 'type' | 'source' | 'mode'>,
  mountLabel: string,
): void {
  const letters = mode.split(',');
  const isPrivate = letters.includes('Z');
  const isShared = letters.includes('z') || (type === 'volume' && !isPrivate);
  if (mountLabel === '' || source === '' || !(isShared || isPrivate)) return;
  const path = normalize(source).replace(/(?!^)\/+$/, '');
  if (EXCLUDED.has(path) || path === homedir()) {
    throw invalidArgument(`SELinux relabeling of ${path} is not allowed`);
  }
  relabelTree(sys, path, isShared ? sharedLabel(mountLabel) : mountLabel);
}

function sharedLabel(mountLabel: string): string {
  const label = tryParseLabel(mountLabel);
  return label ? formatLabel({ ...label, level: SHARED_LEVEL }) : mountLabel;
}

/** Everything from outside of its root that a container is to reach. */
export function relabelSources(sys: Pick<Sys, 'files'>, container: Container): void {
  const { mountLabel, mounts, hostnamePath, hostsPath, resolvConfPath } = container;
  if (!mountLabel) return;
  for (const mount of mounts) relabelMount(sys, mount, mountLabel);
  // Of the container whose network this one shares, they are for both.
  const isShared = container.hostConfig.networkMode.startsWith('container:');
  for (const path of [hostnamePath, hostsPath, resolvConfPath].filter(Boolean)) {
    relabelTree(sys, path, isShared ? sharedLabel(mountLabel) : mountLabel);
  }
}

const NO_LABELS_HERE: readonly string[] = ['EOPNOTSUPP', 'ENOTSUP'];

/** Labels a file, or a directory with all below it; links in it are labelled themselves, never followed. */
export function relabelTree({ files }: Pick<Sys, 'files'>, path: string, label: string): void {
  const value = Buffer.from(`${label}\0`);
  const real = realpathSync(path);
  if (!statSync(real).isDirectory()) {
    attempt(() => files.setXattr(real, ATTRIBUTE, value));
    return;
  }
  using root = files.openRoot(real);
  const pending = [''];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    const here = at;
    if (!attempt(() => root.lsetXattr(here, ATTRIBUTE, value))) return;
    for (const name of namesIn(root, here)) pending.push(join(here, name));
  }
}

/** False: the file system has no labels. What was removed meanwhile needs none. */
function attempt(setLabel: () => void): boolean {
  try {
    setLabel();
    return true;
  } catch (error) {
    const code = errnoCode(error) ?? '';
    if (code !== 'ENOENT' && !NO_LABELS_HERE.includes(code)) throw error;
    return code === 'ENOENT';
  }
}

/** Of a directory; of anything else, or what is gone, nothing. */
function namesIn(root: RootedDir, path: string): string[] {
  const stat = root.stat(path);
  if (stat === undefined || (stat.mode & constants.S_IFMT) !== constants.S_IFDIR) return [];
  try {
    return root.list(path);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT' || errnoCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}
