import { defineFlags, type FlagValues } from '../flags/spec.ts';
import type { GlobalOptions } from './context.ts';
import { cliError } from './errors.ts';

/** Flags before the command's name. */
export const GLOBAL_FLAGS = defineFlags({
  config: {
    type: 'string',
    summary: 'Directory with the client configuration (default "~/.gantry", then "~/.docker")',
  },
  context: {
    type: 'string',
    short: 'c',
    summary: 'Context to use for this command (instead of GANTRY_HOST, DOCKER_HOST and the current context)',
  },
  debug: { type: 'bool', short: 'D', summary: 'Say more about errors' },
  host: { type: 'list', short: 'H', summary: 'Socket of the daemon to talk to' },
  'log-level': {
    type: 'string',
    short: 'l',
    default: 'info',
    summary: 'Lowest level to log ("debug", "info", "warn", "error", "fatal")',
  },
  tls: { type: 'bool', summary: 'Use TLS; --tlsverify implies it' },
  tlscacert: {
    type: 'string',
    summary: 'Trust only certificates signed by this CA (default "ca.pem" in the configuration directory)',
  },
  tlscert: {
    type: 'string',
    summary: 'Client certificate (default "cert.pem" in the configuration directory)',
  },
  tlskey: {
    type: 'string',
    summary: 'Key of the client certificate (default "key.pem" in the configuration directory)',
  },
  tlsverify: { type: 'bool', summary: "Use TLS and check the daemon's certificate" },
  version: { type: 'bool', short: 'v', summary: 'Print version information and quit' },
});

function checkLogLevel(value: string): void {
  if (!/^(panic|fatal|error|warn(ing)?|info|debug|trace)$/i.test(value))
    throw cliError(`Unable to parse logging level: ${value}`);
}

/**
 * The parsed global flags with the environment's defaults; `changed` are those that were given.
 * @throws for a level that does not exist.
 */
export function toGlobalOptions(
  flags: FlagValues<typeof GLOBAL_FLAGS>,
  changed: ReadonlySet<string>,
  env: Readonly<Record<string, string | undefined>>,
): GlobalOptions {
  checkLogLevel(flags['log-level']);
  const isSet = (name: string): boolean => (env[name] ?? '') !== '';
  const verify = changed.has('tlsverify') ? flags.tlsverify : isSet('DOCKER_TLS_VERIFY');
  const tls = changed.has('tls') ? flags.tls : isSet('DOCKER_TLS');
  return {
    hosts: flags.host,
    context: flags.context,
    debug: flags.debug,
    configDir: flags.config,
    tls: {
      // Whoever speaks of verifying speaks of TLS, also with --tlsverify=false.
      enabled: tls || verify || changed.has('tlsverify'),
      verify,
      caFile: flags.tlscacert,
      certFile: flags.tlscert,
      keyFile: flags.tlskey,
    },
  };
}
