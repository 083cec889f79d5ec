import { invalidArgument } from '#base';

/** The parts of `scheme://authority/path`. */
export interface Url {
  readonly scheme: string;
  /** Without brackets of an IPv6 address. */
  readonly host: string;
  /** As written; empty when there is none. */
  readonly port: string;
  readonly path: string;
}

const URL = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?#]*))?([^?#]*)/i;
const AUTHORITY = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/;

/**
 * Splits an address as Go's `url.Parse` does, as far as log options need it. Without a scheme all is path.
 * @throws `invalid_argument` with Go's text.
 */
export function parseUrl(text: string): Url {
  const refuse = (reason: string): Error => invalidArgument(`parse ${JSON.stringify(text)}: ${reason}`);
  if (text.startsWith(':')) throw refuse('missing protocol scheme');
  const match = URL.exec(text);
  if (!match) {
    const [segment = ''] = text.split('/');
    if (segment.includes(':')) throw refuse('first path segment in URL cannot contain colon');
    return { scheme: '', host: '', port: '', path: text };
  }
  const authority = AUTHORITY.exec(match[2] ?? '');
  const port = authority?.[3] ?? '';
  if (!authority || !/^\d*$/.test(port)) throw refuse(`invalid port ":${port}" after host`);
  return {
    scheme: (match[1] ?? '').toLowerCase(),
    host: authority[1] ?? authority[2] ?? '',
    port,
    path: match[3] ?? '',
  };
}

const MAX_PORT = 65_535;

/** @throws `invalid_argument` when it is no port. */
export function parsePort(text: string): number {
  const port = Number(text);
  if (port > MAX_PORT) {
    throw invalidArgument(`invalid port: strconv.ParseUint: parsing "${text}": value out of range`);
  }
  return port;
}
