import type { Socket } from 'node:net';

const CHECK_MS = 5000;

/**
 * Destroys `socket` when its other side has gone, until it is closed; at the latest after `checkMs` (default 5 seconds).
 *
 * Of a connection that may be half-open, Bun 1.4 says only that the input has ended, or nothing at all when it had
 * ended before or is paused. The descriptor is closed then, but everything that waits for `close` would stay until
 * the next write, which on a silent container never comes. `pending` tells: there is no connection behind the socket.
 */
export function destroyWhenVanished(socket: Socket, checkMs = CHECK_MS): void {
  const check = (): void => {
    if (!socket.pending) return;
    // What has been received is still to be read, also by a reader that had paused.
    if (socket.readableLength > 0) socket.resume();
    else socket.destroy();
  };
  // At once in the usual case; the descriptor is closed right after the event.
  socket.once('end', () => setImmediate(check));
  const timer = setInterval(check, checkMs);
  timer.unref();
  socket.once('close', () => clearInterval(timer));
}
