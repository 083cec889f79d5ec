import { badEndpoint } from './errors.ts';

/** Where the engine listens. */
export type ListenEndpoint =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** Sockets passed by systemd (`LISTEN_FDS`); undefined is all of them. */
  | { readonly kind: 'fd'; readonly fd: number | undefined };

const PLAIN_PORT = 2375;
const TLS_PORT = 2376;

/**
 * Parses a `-H` value: `unix:///path`, `/path`, `tcp://host:port` (port 2375 by default, 2376 with TLS), `fd://` or
 * `fd://3`.
 * @throws `invalid_argument`.
 */
export function parseListenEndpoint(
  text: string,
  { tls = false }: { readonly tls?: boolean } = {},
): ListenEndpoint {
  const [scheme, rest] = text.includes('://') ? splitOnce(text, '://') : ['unix', text];
  if (scheme === 'unix' && rest.startsWith('/')) return { kind: 'unix', path: rest };
  if (scheme === 'tcp') return parseTcp(rest, text, tls ? TLS_PORT : PLAIN_PORT);
  if (scheme === 'fd' && /^(\*|\d+)?$/.test(rest)) {
    return { kind: 'fd', fd: rest === '' || rest === '*' ? undefined : Number(rest) };
  }
  throw badEndpoint(text);
}

function parseTcp(rest: string, text: string, defaultPort: number): ListenEndpoint {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:[\]/]*)(?::(\d+))?\/?$/.exec(rest);
  const port = Number(match?.[2] ?? defaultPort);
  if (!match || port > 65535) throw badEndpoint(text);
  return { kind: 'tcp', host: (match[1] ?? '').replace(/^\[|\]$/g, '') || '127.0.0.1', port };
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return [text.slice(0, at), text.slice(at + separator.length)];
}

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}
