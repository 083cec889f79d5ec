import type { HostPort } from '../kernel.ts';
import type { Forwarder } from './host-ports.ts';

/** A client that has been silent this long is forgotten, as dockerd's proxy does. */
const IDLE_MS = 90_000;
/** Flows at most; the oldest goes when one more comes. */
const MAX_FLOWS = 1024;

interface Flow {
  readonly socket: Bun.udp.ConnectedSocket<'buffer'>;
  lastUsedMs: number;
}

/**
 * Receives datagrams on `hostIp` (empty: IPv6 and IPv4) and forwards them, one socket for each client so that
 * answers find back. @throws the bind error with its errno.
 */
export async function listenUdp(hostIp: string, port: HostPort): Promise<Forwarder> {
  const flows = new Map<string, Promise<Flow>>();
  const server = await Bun.udpSocket({
    hostname: hostIp === '' ? '::' : hostIp,
    port: port.port,
    socket: {
      data(socket, data, fromPort, fromAddress) {
        const key = `${fromAddress} ${fromPort}`;
        const answer = (reply: Buffer) => void socket.send(reply, fromPort, fromAddress);
        // A datagram that cannot be forwarded is lost, which UDP allows.
        forward(flows, key, port, data, answer).catch(() => flows.delete(key));
      },
      error() {},
    },
  });
  const sweeper = setInterval(() => void sweep(flows), IDLE_MS / 3);
  sweeper.unref();
  return {
    close() {
      clearInterval(sweeper);
      server.close();
      for (const flow of flows.values()) void flow.then(({ socket }) => socket.close());
      flows.clear();
    },
  };
}

async function forward(
  flows: Map<string, Promise<Flow>>,
  key: string,
  port: HostPort,
  data: Buffer,
  answer: (reply: Buffer) => void,
): Promise<void> {
  let opening = flows.get(key);
  if (!opening) {
    if (flows.size >= MAX_FLOWS) await dropOldest(flows);
    opening = openFlow(port, answer);
    flows.set(key, opening);
  }
  // The buffer is reused after the callback, and opening takes a turn.
  const copy = Buffer.from(data);
  const flow = await opening;
  flow.lastUsedMs = Date.now();
  flow.socket.send(copy);
}

async function openFlow(port: HostPort, answer: (reply: Buffer) => void): Promise<Flow> {
  const socket = await Bun.udpSocket({
    connect: { hostname: port.targetIp, port: port.targetPort },
    socket: { data: (_socket, reply) => answer(reply), error() {} },
  });
  return { socket, lastUsedMs: Date.now() };
}

async function sweep(flows: Map<string, Promise<Flow>>): Promise<void> {
  for (const [key, opening] of flows) {
    const flow = await opening;
    if (Date.now() - flow.lastUsedMs < IDLE_MS) continue;
    flows.delete(key);
    flow.socket.close();
  }
}

async function dropOldest(flows: Map<string, Promise<Flow>>): Promise<void> {
  const [key] = flows.keys();
  const opening = key === undefined ? undefined : flows.get(key);
  if (key === undefined || !opening) return;
  flows.delete(key);
  (await opening).socket.close();
}
