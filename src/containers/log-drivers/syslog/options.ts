import { statSync } from 'node:fs';
import { errnoCode, invalidArgument, ownValue } from '#base';
import { badFacility, badFormat, unsupportedScheme } from '../errors.ts';
import { parsePort, parseUrl } from '../transport/address.ts';
import { SYSLOG_FORMATS, type SyslogFormat } from './format.ts';

type Options = Readonly<Record<string, string>>;

export type SyslogAddress =
  /** The machine's own syslog daemon. */
  | { readonly kind: 'local' }
  | { readonly kind: 'unix' | 'unixgram'; readonly path: string }
  | { readonly kind: 'tcp' | 'udp' | 'tcp+tls'; readonly host: string; readonly port: number };

export interface SyslogOptions {
  readonly address: SyslogAddress;
  /** 0 to 23. */
  readonly facility: number;
  readonly format: SyslogFormat;
}

/** RFC 5424, table 1; the names as in syslog(3). */
const FACILITIES: Readonly<Record<string, number>> = {
  kern: 0,
  user: 1,
  mail: 2,
  daemon: 3,
  auth: 4,
  syslog: 5,
  lpr: 6,
  news: 7,
  uucp: 8,
  cron: 9,
  authpriv: 10,
  ftp: 11,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
};
const DEFAULT_FACILITY = 3;
const MAX_FACILITY = 23;
const DEFAULT_PORT = 514;

/** Source: moby `daemon/logger/syslog/syslog.go`. @throws `invalid_argument` with docker's texts. */
export function parseSyslogOptions(options: Options): SyslogOptions {
  return {
    address: parseAddress(options['syslog-address'] ?? ''),
    facility: parseFacility(options['syslog-facility'] ?? ''),
    format: parseFormat(options['syslog-format'] ?? ''),
  };
}

function parseAddress(text: string): SyslogAddress {
  if (text === '') return { kind: 'local' };
  const { scheme, host, port, path } = parseUrl(text);
  switch (scheme) {
    case 'unix':
    case 'unixgram':
      return { kind: scheme, path };
    case 'tcp':
    case 'udp':
    case 'tcp+tls':
      return { kind: scheme, host, port: port === '' ? DEFAULT_PORT : parsePort(port) };
    default:
      throw unsupportedScheme(scheme);
  }
}

/** A socket of this machine must be there when a container is made. Later it may come and go. @throws `invalid_argument`. */
export function checkSyslogSocket(options: Options): void {
  const { address } = parseSyslogOptions(options);
  if (address.kind !== 'unix' && address.kind !== 'unixgram') return;
  const { path } = address;
  try {
    statSync(path);
  } catch (error) {
    const reason = errnoCode(error) === 'ENOENT' ? 'no such file or directory' : String(errnoCode(error));
    throw invalidArgument(`stat ${path}: ${reason}`);
  }
}

function parseFacility(text: string): number {
  if (text === '') return DEFAULT_FACILITY;
  const named = ownValue(FACILITIES, text);
  const facility = named ?? (/^\+?\d+$/.test(text) ? Number(text) : undefined);
  if (facility === undefined || facility > MAX_FACILITY) throw badFacility();
  return facility;
}

function parseFormat(text: string): SyslogFormat {
  const format = SYSLOG_FORMATS.find((known) => known === text);
  if (format === undefined) throw badFormat();
  return format;
}
