import { expect, test } from 'bun:test';
import { umask } from 'node:process';
import { errnoCode } from '#base';
import { createProcesses } from './processes.ts';

const processes = () => createProcesses();

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return errnoCode(error);
  }
  return undefined;
}

test('pidfd: sees the end of a process, and cannot signal it any more', async () => {
  await using child = Bun.spawn(['sleep', '60']);
  const pidfd = processes().pidfdOpen(child.pid);
  expect(processes().hasExited(pidfd)).toBe(false);
  expect(processes().pidfdSignal(pidfd, 0)).toBe(true);
  expect(processes().pidfdSignal(pidfd, 9)).toBe(true);
  await child.exited;
  expect(processes().hasExited(pidfd)).toBe(true);
  expect(processes().pidfdSignal(pidfd, 0)).toBe(false);
  processes().closeFd(pidfd);
  expect(codeOf(() => processes().hasExited(pidfd))).toBe('EBADF');
});

test('kill: refuses the numbers that mean many processes', () => {
  for (const pid of [0, -1, 1.5, Number.NaN]) expect(codeOf(() => processes().kill(pid, 0))).toBe('EINVAL');
  expect(processes().kill(process.pid, 0)).toBe(true);
  expect(codeOf(() => processes().kill(process.pid, 999))).toBe('EINVAL');
});

test('setRlimit: sets what getRlimit reads', () => {
  const { soft, hard } = processes().getRlimit('nofile');
  processes().setRlimit('nofile', { soft: soft - 1n, hard });
  try {
    expect(processes().getRlimit('nofile')).toEqual({ soft: soft - 1n, hard });
  } finally {
    processes().setRlimit('nofile', { soft, hard });
  }
});

test('umask: is the mask of the process', () => {
  const former = processes().umask(0o137);
  expect(umask()).toBe(0o137);
  expect(processes().umask(former)).toBe(0o137);
});
