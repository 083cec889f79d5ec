import { createServer, type Server } from 'node:net';
import type { ApiServer } from '../http/server.ts';
import { isLoopback, type ListenEndpoint } from './endpoint.ts';
import { insecureTcp, noActivation } from './errors.ts';
import { listening, listenUnix } from './unix-socket.ts';

export interface ListenOptions {
  /** Group of a Unix socket, name or ID. Default: `docker` where it exists; empty: none. */
  readonly group?: string;
  /** Accept unprotected TCP beyond the loopback (S1). Default false. */
  readonly allowInsecureTcp?: boolean;
  /** Environment with `LISTEN_FDS` and `LISTEN_PID`. Default: the process's. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** One place where the API is served. */
export interface ApiListener {
  /** `unix:///path`, `tcp://127.0.0.1:2375` with the real port, `fd://3`. */
  readonly address: string;
  /** Stops accepting and removes the socket file. Open connections go on. */
  close(): Promise<void>;
}

const FIRST_ACTIVATION_FD = 3;

/**
 * Serves the API at an endpoint. `fd://` may give several listeners.
 * @throws `invalid_argument`, `conflict`; the system's own error when an address cannot be bound.
 */
export async function listen(
  api: ApiServer,
  endpoint: ListenEndpoint,
  options: ListenOptions = {},
): Promise<ApiListener[]> {
  if (endpoint.kind === 'unix') {
    const server = frontServer(api);
    const remove = await listenUnix(server, endpoint.path, options.group);
    return [listenerOf(server, `unix://${endpoint.path}`, remove)];
  }
  if (endpoint.kind === 'tcp') return [await listenTcp(api, endpoint, options)];
  const fds = endpoint.fd === undefined ? activationFds(options.env ?? process.env) : [endpoint.fd];
  return Promise.all(fds.map((fd) => listenFd(api, fd)));
}

/** Half-open: a client that has sent everything still wants its answer. */
function frontServer(api: ApiServer): Server {
  const server = createServer({ allowHalfOpen: true });
  api.attach(server);
  return server;
}

async function listenTcp(
  api: ApiServer,
  { host, port }: { readonly host: string; readonly port: number },
  options: ListenOptions,
): Promise<ApiListener> {
  const shown = host.includes(':') ? `[${host}]` : host;
  if (!isLoopback(host) && !options.allowInsecureTcp) throw insecureTcp(`tcp://${shown}:${port}`);
  const server = frontServer(api);
  await listening(server, () => server.listen({ host: bindable(host), port }));
  const address = server.address();
  const bound = typeof address === 'object' && address ? address.port : port;
  return listenerOf(server, `tcp://${shown}:${bound}`);
}

/** Docker's engine binds a name's IPv4 address, where clients look; a resolver may name ::1 first, or anything. */
const bindable = (host: string): string => (host === 'localhost' ? '127.0.0.1' : host);

async function listenFd(api: ApiServer, fd: number): Promise<ApiListener> {
  const server = frontServer(api);
  await listening(server, () => server.listen({ fd }));
  return listenerOf(server, `fd://${fd}`);
}

/** Source: sd_listen_fds(3). */
function activationFds(env: Readonly<Record<string, string | undefined>>): number[] {
  const count = Number(env['LISTEN_FDS'] ?? 0);
  if (!(count > 0) || Number(env['LISTEN_PID']) !== process.pid) throw noActivation();
  return Array.from({ length: count }, (_, index) => FIRST_ACTIVATION_FD + index);
}

function listenerOf(server: Server, address: string, cleanUp: () => void = () => {}): ApiListener {
  return {
    address,
    close: () =>
      new Promise((resolve) => {
        cleanUp();
        server.close(() => resolve());
        // Hijacked streams may live for days; nobody waits for them here.
        resolve();
      }),
  };
}
