import { type AddressInfo, createServer, type Server } from 'node:net';
import { type Logger, silentLogger } from '#base';
import type { ApiServer } from '../http/server.ts';
import { isLoopback, type ListenEndpoint } from './endpoint.ts';
import { insecureTcp, noActivation } from './errors.ts';
import { TlsGate, type TlsIdentity } from './tls.ts';
import { listening, listenUnix } from './unix-socket.ts';

export interface ListenOptions {
  /** Group of a Unix socket, name or ID. Default: `docker` where it exists; empty: none. */
  readonly group?: string;
  /** Speak TLS on every TCP socket, never on Unix sockets. Default: plain HTTP. */
  readonly tls?: TlsIdentity | undefined;
  /** Told of handshakes that fail. Default: nobody. */
  readonly logger?: Logger;
  /** Accept TCP beyond the loopback without client certificates (S1). Default false. */
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
    const server = plainServer(api);
    const remove = await listenUnix(server, endpoint.path, options.group);
    return [listenerOf(server, `unix://${endpoint.path}`, remove)];
  }
  if (endpoint.kind === 'tcp') return [await listenTcp(api, endpoint, options)];
  const fds = endpoint.fd === undefined ? activationFds(options.env ?? process.env) : [endpoint.fd];
  return Promise.all(fds.map((fd) => listenFd(api, fd, options)));
}

/** Half-open: a client that has sent everything still wants its answer. */
function plainServer(api: ApiServer): Server {
  return createServer({ allowHalfOpen: true }, (socket) => api.accept(socket));
}

interface Front {
  readonly server: Server;
  readonly cleanUp: () => void;
}

/** What accepts on a TCP socket. */
function tcpServer(api: ApiServer, { tls, logger = silentLogger }: ListenOptions): Front {
  if (!tls) return { server: plainServer(api), cleanUp: () => {} };
  const gate = new TlsGate({ identity: tls, logger, accept: (socket) => api.accept(socket) });
  const server = createServer({ allowHalfOpen: true }, (socket) => gate.admit(socket));
  return { server, cleanUp: () => gate.close() };
}

/** S1: who reaches the API owns the host, so only this machine may without a certificate. Encryption alone changes nothing. */
function refuseStrangers(host: string, address: string, { tls, allowInsecureTcp }: ListenOptions): void {
  if (!isLoopback(host) && !tls?.verifiesClients && !allowInsecureTcp) throw insecureTcp(address);
}

async function listenTcp(
  api: ApiServer,
  { host, port }: { readonly host: string; readonly port: number },
  options: ListenOptions,
): Promise<ApiListener> {
  const shown = host.includes(':') ? `[${host}]` : host;
  refuseStrangers(host, `tcp://${shown}:${port}`, options);
  const { server, cleanUp } = tcpServer(api, options);
  await listening(server, () => server.listen({ host: bindable(host), port }));
  return listenerOf(server, `tcp://${shown}:${ipAddress(server)?.port ?? port}`, cleanUp);
}

/** Docker's engine binds a name's IPv4 address, where clients look; a resolver may name ::1 first, or anything. */
const bindable = (host: string): string => (host === 'localhost' ? '127.0.0.1' : host);

/** A socket of systemd's may be of either kind: what it is shows once it is listened on. */
async function listenFd(api: ApiServer, fd: number, options: ListenOptions): Promise<ApiListener> {
  let front: Front | undefined;
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (front) front.server.emit('connection', socket);
    else socket.destroy();
  });
  await listening(server, () => server.listen({ fd }));
  const bound = ipAddress(server);
  try {
    if (bound)
      refuseStrangers(bound.address, `fd://${fd}, which is tcp://${bound.address}:${bound.port}`, options);
  } catch (error) {
    server.close();
    throw error;
  }
  front = bound ? tcpServer(api, options) : { server: plainServer(api), cleanUp: () => {} };
  return listenerOf(server, `fd://${fd}`, front.cleanUp);
}

/** Where the server is bound; undefined for a Unix socket. */
function ipAddress(server: Server): AddressInfo | undefined {
  const address = server.address();
  return typeof address === 'object' && address && 'port' in address ? address : undefined;
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
