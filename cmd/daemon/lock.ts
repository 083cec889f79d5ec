import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { conflict, invalidArgument } from '#base';
import type { Files } from '#sys';

const LOCK_MODE = 0o600;
/** A child of a killed daemon that has not yet become its program still holds the lock: so long it is waited for. */
const ORPHAN_MS = 2000;
const POLL_MS = 10;

/**
 * Claims `path` for this process by a lock that the kernel drops when the process ends, however it ends; the file
 * holds the PID for people. The descriptor is close-on-exec.
 * @throws `conflict` when another process holds it.
 */
export function claimLock(files: Files, path: string, what: string): Disposable {
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  const fd = openSync(path, 'a+', LOCK_MODE);
  if (!tryLockFor(files, fd, ORPHAN_MS)) {
    const holder = readFileSync(path, 'utf8').trim();
    closeSync(fd);
    throw conflict(`${what} is in use by another gantry daemon${holder ? ` (pid ${holder})` : ''}`);
  }
  ftruncateSync(fd, 0);
  writeSync(fd, `${process.pid}\n`);
  return { [Symbol.dispose]: () => closeSync(fd) };
}

function tryLockFor(files: Files, fd: number, forMs: number): boolean {
  for (const end = Date.now() + forMs; ; Bun.sleepSync(POLL_MS)) {
    if (files.tryLock(fd)) return true;
    if (Date.now() > end) return false;
  }
}

/**
 * Writes the pidfile. A file left by a process that is gone is replaced.
 * @throws `invalid_argument` with dockerd's text when its process still runs.
 */
export function writePidfile(path: string, isAlive: (pid: number) => boolean): Disposable {
  const old = readPid(path);
  if (old !== undefined && old !== process.pid && isAlive(old)) {
    throw invalidArgument(
      `failed to start daemon, ensure gantry is not running or delete ${path}: process with PID ${old} is still running`,
    );
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  const fd = openSync(path, 'w', 0o644);
  writeSync(fd, `${process.pid}\n`);
  closeSync(fd);
  return {
    [Symbol.dispose]: () => {
      if (readPid(path) === process.pid) rmSync(path, { force: true });
    },
  };
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}
