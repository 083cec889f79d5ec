import { invalidArgument } from '#base';
import type { GivenOptions } from './load.ts';

/** TLS on the daemon's TCP sockets. */
export interface TlsSettings {
  /** Clients must show a certificate that an authority of `caFile` has signed. */
  readonly verify: boolean;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

const FILE_OPTIONS = ['tlscacert', 'tlscert', 'tlskey'] as const;

/**
 * Undefined: no TLS. As dockerd: `--tlsverify`, with either value, and `DOCKER_TLS_VERIFY` turn TLS on; files that are not named
 * are `ca.pem`, `cert.pem` and `key.pem` of `DOCKER_CERT_PATH`, `DOCKER_CONFIG` or `~/.docker`.
 * @throws `invalid_argument` when certificates are named and TLS is not: whoever does that believes in a protection that is not there.
 */
export function tlsSettings(
  given: GivenOptions,
  env: Readonly<Record<string, string | undefined>>,
): TlsSettings | undefined {
  const verify = given.tlsverify ?? (env['DOCKER_TLS_VERIFY'] ?? '') !== '';
  const enabled = given.tls === true || given.tlsverify !== undefined || verify === true;
  if (!enabled) {
    const named = FILE_OPTIONS.find((name) => given[name] !== undefined);
    if (named === undefined || given.tls === false) return undefined;
    throw invalidArgument(
      `--${named} has no effect without TLS: turn it on with --tlsverify, or off with --tls=false`,
    );
  }
  const directory = env['DOCKER_CERT_PATH'] || env['DOCKER_CONFIG'] || `${env['HOME'] || '/root'}/.docker`;
  const file = (name: (typeof FILE_OPTIONS)[number], standard: string): string =>
    String(given[name] || `${directory}/${standard}`);
  return {
    verify: verify === true,
    caFile: file('tlscacert', 'ca.pem'),
    certFile: file('tlscert', 'cert.pem'),
    keyFile: file('tlskey', 'key.pem'),
  };
}
