import { dlopen } from 'bun:ffi';
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { closeSync, mkdirSync, mkdtempSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errnoCode } from '#base';
import { allocate, check, libc } from './ffi.ts';
import { createSockets } from './sockets.ts';

const SEQPACKET_CLOEXEC = 5 | 0x8_0000;
const DATAGRAM_CLOEXEC = 2 | 0x8_0000;

let dir: string;
let opened: number[];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-sock-'));
  opened = [];
});
afterEach(() => {
  for (const fd of opened) closeSync(fd);
  rmSync(dir, { recursive: true });
});

function keep(fd: number): number {
  opened.push(fd);
  return fd;
}

/** A Unix socket of `type` bound to `path`, which must be short enough. */
function bound(type: number, path: string): number {
  const fd = keep(check(libc().socket(1, type, 0), 'socket'));
  const address = allocate(110);
  address.view.setUint16(0, 1, true);
  address.bytes.set(new TextEncoder().encode(path), 2);
  check(libc().bind(fd, address.bytes, 2 + path.length + 1), 'bind');
  return fd;
}

function listen(path: string): number {
  const fd = bound(SEQPACKET_CLOEXEC, path);
  const library = dlopen('libc.so.6', { listen: { args: ['i32', 'i32'], returns: 'i32' } });
  check(library.symbols.listen(fd, 4), 'listen');
  return fd;
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return errnoCode(error);
  }
  return undefined;
}

test('connectSeqpacket: connects, non-blocking and close-on-exec', () => {
  const path = join(dir, 's');
  listen(path);
  const fd = keep(createSockets().connectSeqpacket(path));
  const flags = /^flags:\s+(\d+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0';
  expect(Number.parseInt(flags, 8) & 0o2004000).toBe(0o2004000);
});

test('connectSeqpacket: reaches a path longer than a socket address', () => {
  const deep = join(dir, 'd'.repeat(100), 'e'.repeat(100));
  mkdirSync(deep, { recursive: true });
  // The listener needs the same trick: a short way to the same directory.
  const former = process.cwd();
  process.chdir(deep);
  try {
    listen('s');
  } finally {
    process.chdir(former);
  }
  expect(keep(createSockets().connectSeqpacket(join(deep, 's')))).toBeGreaterThan(2);
});

test('connectSeqpacket: reports a missing path and leaks nothing', () => {
  expect(codeOf(() => createSockets().connectSeqpacket(join(dir, 'nope')))).toBe('ENOENT');
  expect(codeOf(() => createSockets().connectSeqpacket('\0abstract'))).toBe('EINVAL');
});

test('socketpair: what one end writes the other reads, until it is shut down', () => {
  const [a, b] = createSockets().socketpair();
  keep(a);
  keep(b);
  writeSync(a, 'hello');
  createSockets().shutdownWrite(a);
  expect(readFileSync(b, 'utf8')).toBe('hello');
});

test('sendDatagram: arrives whole', () => {
  const path = join(dir, 'd');
  const fd = bound(DATAGRAM_CLOEXEC, path);
  createSockets().sendDatagram(path, 'READY=1');
  const buffer = Buffer.alloc(64);
  expect(buffer.toString('utf8', 0, readSync(fd, buffer))).toBe('READY=1');
});

test('sendDatagram: reports a missing socket and one of another kind, and leaks nothing', () => {
  expect(codeOf(() => createSockets().sendDatagram(join(dir, 'nope'), 'x'))).toBe('ENOENT');
  expect(codeOf(() => createSockets().sendDatagram('@gantry-nobody-listens', 'x'))).toBe('ECONNREFUSED');
});

test('connectDatagram: writes are datagrams, a full or gone receiver is reported and never waited for', () => {
  const path = join(dir, 'q');
  const receiver = bound(DATAGRAM_CLOEXEC, path);
  const fd = keep(createSockets().connectDatagram(path));
  writeSync(fd, Buffer.from([0xff, 0x00]));
  const buffer = Buffer.alloc(8);
  expect([...buffer.subarray(0, readSync(receiver, buffer))]).toEqual([0xff, 0x00]);
  const fill = () => {
    for (let sent = 0; sent < 10_000; sent += 1) writeSync(fd, 'x');
  };
  expect(codeOf(fill)).toBe('EAGAIN');
  closeSync(opened.shift() ?? -1);
  expect(codeOf(() => writeSync(fd, 'x'))).toBe('ECONNREFUSED');
});
