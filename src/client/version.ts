import {
  formatApiVersion,
  MAX_API_VERSION,
  MIN_API_VERSION,
  negotiateApiVersion,
  tryParseApiVersion,
} from '#api';
import { invalidArgument } from '#base';

/** Newest Engine API version this client speaks. */
export const CLIENT_API_VERSION: string = formatApiVersion(MAX_API_VERSION);

/** The version both sides speak. A daemon that does not say its own is taken for the oldest. */
export function negotiate(daemonVersion: string | undefined): string {
  const offered = tryParseApiVersion(daemonVersion ?? '') ?? MIN_API_VERSION;
  return formatApiVersion(negotiateApiVersion(offered));
}

/** @throws `invalid_argument` when it is not `N.N`. */
export function checkVersion(version: string): string {
  const bare = version.replace(/^v/, '');
  if (!/^\d+\.\d+$/.test(bare)) throw invalidArgument(`invalid API version: ${version}`);
  return bare;
}
