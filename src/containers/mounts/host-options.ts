import { type Files, MS_NOATIME, MS_NODEV, MS_NODIRATIME, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from '#sys';

const OPTIONS = [
  [MS_RDONLY, 'ro'],
  [MS_NOSUID, 'nosuid'],
  [MS_NODEV, 'nodev'],
  [MS_NOEXEC, 'noexec'],
  [MS_NOATIME, 'noatime'],
  [MS_NODIRATIME, 'nodiratime'],
] as const;

/**
 * The restrictions of the mount that has `path`. crun makes binds anew with what their options say, so what the host has
 * mounted `ro` or `noexec` would be writable and executable in a container that is not told.
 */
export function hostOptions(files: Pick<Files, 'statfs'>, path: string): string[] {
  const { flags } = files.statfs(path);
  return OPTIONS.flatMap(([bit, option]) => ((flags & bit) === 0 ? [] : [option]));
}
