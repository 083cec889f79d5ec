import { invalidArgument } from '#base';

/** Certificates as PEM text. All parts are optional; `verify` says whether the server's certificate is checked. */
export interface TlsMaterial {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly verify: boolean;
}

/** Where an engine listens. `url` is the notation the user gave, for messages. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly url: string; readonly path: string }
  | {
      readonly kind: 'tcp';
      readonly url: string;
      readonly host: string;
      readonly port: number;
      /** Prefix of every request path; empty for most. */
      readonly basePath: string;
      readonly tls: TlsMaterial | undefined;
    };

const PLAIN_PORT = 2375;
const TLS_PORT = 2376;

/**
 * Parses `unix:///path`, `tcp://host[:port][/base]`, `http://…` and `https://…`.
 * With `tls`, TCP connections are encrypted; `https` without `tls` verifies against the system's authorities.
 * @throws `invalid_argument` for anything else.
 */
export function parseEndpoint(url: string, tls?: TlsMaterial): Endpoint {
  const match = /^([a-z]+):\/\/(.*)$/s.exec(url);
  const [scheme, rest] = [match?.[1], match?.[2]];
  if (scheme === undefined || rest === undefined || rest === '') throw badHost(url);
  if (scheme === 'unix') return { kind: 'unix', url, path: rest };
  if (scheme === 'tcp' || scheme === 'http' || scheme === 'https') return parseTcp(url, scheme, rest, tls);
  throw invalidArgument(`unable to parse docker host \`${url}\`: unsupported protocol "${scheme}"`);
}

function parseTcp(url: string, scheme: string, rest: string, tls: TlsMaterial | undefined): Endpoint {
  const slash = rest.indexOf('/');
  const authority = slash < 0 ? rest : rest.slice(0, slash);
  const basePath = slash < 0 ? '' : rest.slice(slash).replace(/\/+$/, '');
  const match = /^(?:\[([^\]]+)\]|([^:]*))(?::(\d+))?$/.exec(authority);
  if (!match) throw badHost(url);
  const material = tls ?? (scheme === 'https' ? { verify: true } : undefined);
  const port = match[3] === undefined ? (material ? TLS_PORT : PLAIN_PORT) : Number(match[3]);
  return {
    kind: 'tcp',
    url,
    host: match[1] ?? (match[2] || 'localhost'),
    port,
    basePath,
    tls: material,
  };
}

const badHost = (url: string) => invalidArgument(`unable to parse docker host \`${url}\``);
