import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { O_CLOEXEC, O_PATH } from './constants.ts';
import { SysError } from './errors.ts';
import { allocate, check, libc } from './ffi.ts';
import { pathToBytes } from './path-bytes.ts';
import type { Fd, Sockets } from './types.ts';

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK = constants.O_NONBLOCK;
const SHUT_WR = 1;
const SEQPACKET = SOCK_SEQPACKET | SOCK_NONBLOCK | O_CLOEXEC;
/** First byte of an abstract socket name, written `@` by people (unix(7)). */
const ABSTRACT = '\0';
/** `sun_path` holds 108 bytes, its terminating NUL included. */
const MAX_SOCKET_PATH = 107;

/** Unix sockets that Bun cannot make by itself. */
export function createSockets(): Sockets {
  return {
    connectSeqpacket: (path) => {
      if (pathToBytes(path).length <= MAX_SOCKET_PATH) return connectTo(SEQPACKET, path, path);
      const directory = openSync(dirname(path), O_PATH | constants.O_DIRECTORY | O_CLOEXEC);
      try {
        return connectTo(SEQPACKET, `/proc/self/fd/${directory}/${basename(path)}`, path);
      } finally {
        closeSync(directory);
      }
    },
    socketpair: () => {
      const pair = allocate(8);
      check(libc().socketpair(AF_UNIX, SOCK_STREAM | O_CLOEXEC, 0, pair.bytes), 'socketpair');
      return [pair.view.getInt32(0, true), pair.view.getInt32(4, true)];
    },
    connectDatagram: (path) =>
      connectTo(SOCK_DGRAM | SOCK_NONBLOCK | O_CLOEXEC, path.replace(/^@/, ABSTRACT), path),
    sendDatagram: (path, text) => {
      const fd = connectTo(SOCK_DGRAM | O_CLOEXEC, path.replace(/^@/, ABSTRACT), path);
      try {
        writeSync(fd, text);
      } finally {
        closeSync(fd);
      }
    },
    shutdownWrite: (fd) => {
      check(libc().shutdown(fd, SHUT_WR), 'shutdown', 'fd', fd);
    },
  };
}

function connectTo(type: number, address: string, path: string): Fd {
  // A NUL inside would cut the path short.
  if (path.includes('\0')) throw new SysError('EINVAL', 'connect', `path ${JSON.stringify(path)}`);
  const name = pathToBytes(address);
  if (name.length > MAX_SOCKET_PATH)
    throw new SysError('ENAMETOOLONG', 'connect', `path ${JSON.stringify(path)}`);
  // An abstract name is as long as the address says; a path ends with a NUL.
  const sockaddr = allocate(2 + name.length + (address.startsWith(ABSTRACT) ? 0 : 1));
  sockaddr.view.setUint16(0, AF_UNIX, true);
  sockaddr.bytes.set(name, 2);
  const fd = check(libc().socket(AF_UNIX, type, 0), 'socket');
  try {
    check(libc().connect(fd, sockaddr.bytes, sockaddr.bytes.length), 'connect', 'path', path);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
