import { lookup } from 'node:dns/promises';
import { closeSync, writeSync } from 'node:fs';
import { type Clock, errnoCode, sleep, systemClock, unavailable } from '#base';
import type { SinkHost } from '../types.ts';

/** Sends messages one datagram each. */
export interface DatagramConnection {
  /**
   * Resolves with how many were sent from the front, at least one. While the receiver's queue is full it waits.
   * Rejects when the receiver has gone.
   */
  send(datagrams: readonly Uint8Array[], signal: AbortSignal): Promise<number>;
  readonly isClosed: boolean;
  close(): void;
}

/** How often a full receiver is tried again. The kernel has no way to wake us without a poll of our own. */
const RETRY_MS = 10;

/** A Unix datagram socket (`/dev/log`, journald). */
export function openUnixDatagram(
  sockets: SinkHost['sockets'],
  path: string,
  clock: Clock = systemClock,
): DatagramConnection {
  const fd = sockets.connectDatagram(path);
  let isClosed = false;
  const close = (): void => {
    if (!isClosed) closeSync(fd);
    isClosed = true;
  };
  return {
    get isClosed() {
      return isClosed;
    },
    close,
    send: async (datagrams, signal) => {
      for (;;) {
        signal.throwIfAborted();
        if (isClosed) throw unavailable(`${path}: connection was closed`);
        const sent = writeUntilFull(fd, datagrams);
        if (sent > 0) return sent;
        await sleep(clock, RETRY_MS, signal);
      }
    },
  };
}

/** How many went out. A datagram that the socket will never take counts as sent: it would stop all after it. */
function writeUntilFull(fd: number, datagrams: readonly Uint8Array[]): number {
  let sent = 0;
  for (const datagram of datagrams) {
    try {
      writeSync(fd, datagram);
    } catch (error) {
      const code = errnoCode(error);
      if (code === 'EAGAIN' || (code === 'ENOBUFS' && sent > 0)) return sent;
      if (code !== 'EMSGSIZE') {
        if (sent > 0) return sent;
        throw error;
      }
    }
    sent += 1;
  }
  return sent;
}

/** How long a refusal from this machine or a near one may take. Later ones cost the messages that went out before. */
const REFUSAL_MS = 1;

/** A UDP socket. UDP does not tell what arrives, only sometimes that nobody listens. */
export async function openUdp(host: string, port: number, signal: AbortSignal): Promise<DatagramConnection> {
  const { address: hostname, family } = await lookup(host);
  signal.throwIfAborted();
  let isClosed = false;
  let drained = Promise.withResolvers<void>();
  const socket = await Bun.udpSocket({
    hostname: family === 6 ? '::' : '0.0.0.0',
    connect: { hostname, port },
    socket: {
      data: () => {},
      drain: () => drained.resolve(),
      error: () => close(),
    },
  });
  const close = (): void => {
    if (!isClosed) socket.close();
    isClosed = true;
    drained.resolve();
  };
  const send = async (datagrams: readonly Uint8Array[], limit: AbortSignal): Promise<number> => {
    for (;;) {
      limit.throwIfAborted();
      if (isClosed) throw unavailable(`${host}:${port}: nobody listens`);
      drained = Promise.withResolvers();
      const sent = socket.sendMany([...datagrams]);
      await (sent > 0 ? sleep(systemClock, REFUSAL_MS) : drained.promise);
      if (sent > 0 && !isClosed) return sent;
    }
  };
  if (signal.aborted) close();
  return {
    get isClosed() {
      return isClosed;
    },
    close,
    send,
  };
}
