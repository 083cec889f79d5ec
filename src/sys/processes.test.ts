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

test('exec: becomes the program with exactly these arguments and variables', async () => {
  const script = `
    import { createProcesses } from '${import.meta.dir}/processes.ts';
    createProcesses().exec('/bin/sh', ['sh', '-c', 'echo "$0|$1|$A|$PATH|$$"; env | grep -c .', 'zéro', 'a b'],
      { A: 'x=y', PATH: '/bin:/usr/bin' });
  `;
  await using child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' });
  const output = await child.stdout.text();
  expect(output.split('\n')[0]).toBe(`zéro|a b|x=y|/bin:/usr/bin|${child.pid}`);
});

test('exec: throws when there is no such program, and refuses NUL', () => {
  expect(codeOf(() => processes().exec('/nonexistent/program', ['x'], {}))).toBe('ENOENT');
  expect(codeOf(() => processes().exec('/bin/true', ['a\0b'], {}))).toBe('EINVAL');
});
