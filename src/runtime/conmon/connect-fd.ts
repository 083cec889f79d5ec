import type { Socket, SocketHandler } from 'bun';
import type { Fd } from '#sys';

/**
 * Hands an open socket to the event loop, half closes kept apart. It owns `fd` from now on.
 * Bun documents this form; its type declarations have the options but not the overload.
 */
export function connectFd(fd: Fd, socket: SocketHandler<undefined>): Promise<Socket<undefined>> {
  const connect = Bun.connect as unknown as (options: {
    readonly fd: Fd;
    readonly allowHalfOpen: boolean;
    readonly socket: SocketHandler<undefined>;
  }) => Promise<Socket<undefined>>;
  return connect({ fd, allowHalfOpen: true, socket });
}
