import { invalidArgument } from '#base';

/** Newest Engine API version this client speaks. */
export const CLIENT_API_VERSION = '1.56';
/** Assumed when a daemon does not say its version: the oldest we speak. */
export const OLDEST_API_VERSION = '1.24';

/** Negative when `a` is older than `b`. */
export function compareVersions(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(Number);
  const [majorB = 0, minorB = 0] = b.split('.').map(Number);
  return majorA - majorB || minorA - minorB;
}

/** The version both sides speak: the daemon's, unless it is newer than ours. */
export function negotiate(daemonVersion: string | undefined): string {
  const offered = daemonVersion === undefined || daemonVersion === '' ? OLDEST_API_VERSION : daemonVersion;
  return compareVersions(offered, CLIENT_API_VERSION) < 0 ? offered : CLIENT_API_VERSION;
}

/** @throws `invalid_argument` when it is not `N.N`. */
export function checkVersion(version: string): string {
  const bare = version.replace(/^v/, '');
  if (!/^\d+\.\d+$/.test(bare)) throw invalidArgument(`invalid API version: ${version}`);
  return bare;
}
