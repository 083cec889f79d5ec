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
export async function listenUdp(hostIp: string, port: HostPort, idleMs = IDLE_MS): Promise<Forwarder> {
  const flows = new Map<string, Promise<Flow>>();
  const server = await Bun.udpSocket({
    hostname: hostIp === '' ? '::' : hostIp,
    port: port.port,
    socket: {
      data(socket, data, fromPort, fromAddress) {
        const key = `${fromAddress} ${fromPort}`;
        const answer = (reply: Buffer) => void socket.send(reply, fromPort, fromAddress);
        void forward(flows, key, data, () => openFlow(port, answer));
      },
      error() {},
    },
  });
  const sweeper = setInterval(() => void sweep(flows, idleMs), idleMs / 3);
  sweeper.unref();
  return {
    close() {
      clearInterval(sweeper);
      server.close();
      for (const [key, opening] of flows) void drop(flows, key, opening);
    },
  };
}

/** A datagram that cannot be forwarded is lost, which UDP allows; the client's next one opens a new socket. */
async function forward(
  flows: Map<string, Promise<Flow>>,
  key: string,
  data: Buffer,
  open: () => Promise<Flow>,
): Promise<void> {
  let opening = flows.get(key);
  if (!opening) {
    if (flows.size >= MAX_FLOWS) dropOldest(flows);
    opening = open();
    flows.set(key, opening);
  }
  // The buffer is reused after the callback, and opening takes a turn.
  const copy = Buffer.from(data);
  try {
    const flow = await opening;
    flow.lastUsedMs = Date.now();
    flow.socket.send(copy);
  } catch {
    await drop(flows, key, opening);
  }
}

async function openFlow(port: HostPort, answer: (reply: Buffer) => void): Promise<Flow> {
  const socket = await Bun.udpSocket({
    connect: { hostname: port.targetIp, port: port.targetPort },
    socket: { data: (_socket, reply) => answer(reply), error() {} },
  });
  return { socket, lastUsedMs: Date.now() };
}

async function sweep(flows: Map<string, Promise<Flow>>, idleMs: number): Promise<void> {
  for (const [key, opening] of flows) {
    const flow = await opening.catch(() => undefined);
    if (!flow || Date.now() - flow.lastUsedMs >= idleMs) await drop(flows, key, opening);
  }
}

function dropOldest(flows: Map<string, Promise<Flow>>): void {
  const [oldest] = flows;
  if (oldest) void drop(flows, ...oldest);
}

/** Never rejects: nobody awaits it, and an unhandled rejection would end the Worker with all published ports. */
async function drop(flows: Map<string, Promise<Flow>>, key: string, opening: Promise<Flow>): Promise<void> {
  if (flows.get(key) === opening) flows.delete(key);
  try {
    (await opening).socket.close();
  } catch {
    // It never opened, or is closed.
  }
}
