import { readFileSync } from 'node:fs';
import { parseEffectiveCapabilities } from './capabilities.ts';
import { ERRNO } from './errno.ts';
import { SysError } from './errors.ts';
import { allocate, check, errno, libc, rawSyscall } from './ffi.ts';
import { releaseProgramPages } from './program-pages.ts';
import type { Fd, Processes, RlimitName } from './types.ts';

const POLLIN = 1;
const PR_SET_CHILD_SUBREAPER = 36;

/** `RLIMIT_*` numbers (asm-generic/resource.h, the same on x86_64 and arm64). */
const RLIMITS = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const satisfies Record<RlimitName, number>;

/** Calls about processes, the own one first. */
export function createProcesses(): Processes {
  return {
    pidfdOpen: (pid) => check(rawSyscall('pidfd_open', pid, 0), 'pidfd_open', 'pid', pid),
    pidfdSignal: (pidfd, signal) =>
      sent(rawSyscall('pidfd_send_signal', pidfd, signal), 'pidfd_send_signal', pidfd),
    kill: (pid, signal) => {
      // 0 is our own process group and -1 everybody: never what a caller with a stored PID means.
      if (!Number.isInteger(pid) || pid === 0 || pid === -1)
        throw new SysError('EINVAL', 'kill', `pid ${pid}`);
      return sent(libc().kill(pid, signal), 'kill', pid);
    },
    hasExited,
    getRlimit: (resource) => {
      const current = allocate(16);
      check(libc().prlimit(0, RLIMITS[resource], null, current.bytes), 'prlimit', 'resource', resource);
      return { soft: current.view.getBigUint64(0, true), hard: current.view.getBigUint64(8, true) };
    },
    setRlimit: (resource, { soft, hard }) => {
      const wanted = allocate(16);
      wanted.view.setBigUint64(0, soft, true);
      wanted.view.setBigUint64(8, hard, true);
      check(libc().prlimit(0, RLIMITS[resource], wanted.bytes, null), 'prlimit', 'resource', resource);
    },
    effectiveCapabilities: () => parseEffectiveCapabilities(readFileSync('/proc/thread-self/status', 'utf8')),
    setSubreaper: () => {
      check(libc().prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 'prctl', 'option', 'PR_SET_CHILD_SUBREAPER');
    },
    umask: (mask) => libc().umask(mask),
    releaseProgramPages,
    closeFd: (fd) => {
      check(libc().close(fd), 'close', 'fd', fd);
    },
  };
}

function sent(result: number, syscall: string, target: number): boolean {
  if (result < 0 && errno() === ERRNO.ESRCH[0]) return false;
  check(result, syscall, 'target', target);
  return true;
}

function hasExited(pidfd: Fd): boolean {
  const request = allocate(8);
  request.view.setInt32(0, pidfd, true);
  request.view.setInt16(4, POLLIN, true);
  check(libc().poll(request.bytes, 1, 0), 'poll', 'pidfd', pidfd);
  const events = request.view.getInt16(6, true);
  // POLLNVAL is reported in the result, not as an error.
  if ((events & 0x20) !== 0) throw new SysError('EBADF', 'poll', `pidfd ${pidfd}`);
  return (events & POLLIN) !== 0;
}
