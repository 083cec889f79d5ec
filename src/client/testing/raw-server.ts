import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Socket } from 'bun';

/** One connection as the server sees it: bytes in, bytes out. */
export interface RawConnection {
  /** Everything received so far. */
  received: string;
  send(data: string | Uint8Array): void;
  /** Ends our direction once everything is sent. */
  end(): void;
  /** Whether the other side has ended its direction. */
  ended: boolean;
}

export interface RawServer extends Disposable {
  readonly url: string;
  readonly connections: readonly RawConnection[];
}

/** A socket server that answers bytes with bytes, for tests of the wire. `onData` runs after each piece received. */
export function startRawServer(onData: (connection: RawConnection) => void): RawServer {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-client-'));
  const connections: RawConnection[] = [];
  const bySocket = new WeakMap<Socket<undefined>, RawConnection>();
  const pending = new WeakMap<Socket<undefined>, Uint8Array[]>();
  const ending = new WeakSet<Socket<undefined>>();
  const flush = (socket: Socket<undefined>): void => {
    const queue = pending.get(socket) ?? [];
    for (let chunk = queue[0]; chunk; chunk = queue[0]) {
      const written = Math.max(0, socket.write(chunk));
      if (written < chunk.length) {
        queue[0] = chunk.subarray(written);
        return;
      }
      queue.shift();
    }
    if (ending.has(socket)) socket.end();
  };
  const listener = Bun.listen<undefined>({
    unix: join(dir, 'engine.sock'),
    allowHalfOpen: true,
    socket: {
      open(socket) {
        pending.set(socket, []);
        const connection: RawConnection = {
          received: '',
          ended: false,
          send: (data) => {
            pending.get(socket)?.push(typeof data === 'string' ? new TextEncoder().encode(data) : data);
            flush(socket);
          },
          end: () => {
            ending.add(socket);
            flush(socket);
          },
        };
        bySocket.set(socket, connection);
        connections.push(connection);
      },
      data(socket, data) {
        const connection = bySocket.get(socket);
        if (!connection) return;
        connection.received += data.toString();
        onData(connection);
      },
      end(socket) {
        const connection = bySocket.get(socket);
        if (!connection) return;
        connection.ended = true;
        onData(connection);
      },
      drain: flush,
    },
  });
  return {
    url: `unix://${join(dir, 'engine.sock')}`,
    connections,
    [Symbol.dispose]: () => {
      listener.stop(true);
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
