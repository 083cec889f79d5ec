import { connect, createServer, type Server, type Socket } from 'node:net';
import { errnoCode } from '#base';
import type { HostPort } from '../kernel.ts';
import type { Forwarder } from './host-ports.ts';

/**
 * Listens on `hostIp` (empty: IPv6 and IPv4) and pipes each connection to the target, half closes included.
 * @throws the bind error with its errno.
 */
export async function listenTcp(hostIp: string, port: HostPort): Promise<Forwarder> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    pipeToTarget(client, port, sockets);
  });
  await bind(server, hostIp, port.port);
  return {
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

function bind(server: Server, hostIp: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(withErrno(error));
    server.once('error', fail);
    const options = hostIp === '' ? { host: '::', port } : { host: hostIp, port, ipv6Only: true };
    server.listen(options, () => {
      server.off('error', fail);
      // A failed accept (no descriptors left) concerns one client, not the port.
      server.on('error', () => {});
      resolve();
    });
  });
}

/** The runtime tells no errno where not even a socket can be made: then descriptors are short. */
const withErrno = (error: Error): Error =>
  errnoCode(error) === undefined ? Object.assign(error, { code: 'EMFILE' }) : error;

function pipeToTarget(client: Socket, port: HostPort, sockets: Set<Socket>): void {
  const target = connect({ host: port.targetIp, port: port.targetPort, allowHalfOpen: true });
  for (const [socket, peer] of [
    [client, target],
    [target, client],
  ] as const) {
    sockets.add(socket);
    // Either side failing ends both; the error itself is the peer's business.
    socket.on('error', () => peer.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      if (!socket.readableEnded) peer.destroy();
    });
  }
  client.pipe(target);
  target.pipe(client);
}
