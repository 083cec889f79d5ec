import { afterEach, expect, test } from 'bun:test';
import { errnoCode } from '#base';
import { createSys } from '#sys';
import { ownName } from '../../harness/test-run.ts';

const sys = createSys();
const path = `/${ownName(`sys-${process.pid}`)}`;

afterEach(() => sys.cgroups.remove(path));

test('create: a process can enter at once, in every hierarchy, and is then listed', async () => {
  sys.cgroups.create(`${path}/inner`);
  await using child = Bun.spawn(['sleep', '60']);
  const controllers = sys.cgroups.mode === 'unified' ? ['pids'] : [...sys.cgroups.controllers.keys()];
  for (const controller of controllers) {
    sys.cgroups.write(controller, `${path}/inner`, 'cgroup.procs', String(child.pid));
  }
  expect(sys.cgroups.processes(path)).toEqual([child.pid]);
  try {
    sys.cgroups.remove(path);
    expect.unreachable();
  } catch (error) {
    expect(errnoCode(error)).toBe('EBUSY');
  }
  child.kill('SIGKILL');
  await child.exited;
});

test('create: a process can go below a cgroup with processes, and is listed there', async () => {
  sys.cgroups.create(path);
  await using child = Bun.spawn(['sleep', '60']);
  const enter = (group: string) => sys.cgroups.write('pids', group, 'cgroup.procs', String(child.pid));
  enter(path);
  sys.cgroups.create(`${path}/inner`);
  enter(`${path}/inner`);
  expect(sys.cgroups.processes(`${path}/inner`)).toEqual([child.pid]);
  child.kill('SIGKILL');
  await child.exited;
});

test('kill: everything below at once, on cgroup v2', async () => {
  sys.cgroups.create(`${path}/inner`);
  await using child = Bun.spawn(['sleep', '60']);
  sys.cgroups.write('pids', `${path}/inner`, 'cgroup.procs', String(child.pid));
  const isV2 = sys.cgroups.mode === 'unified';
  expect(sys.cgroups.kill(path)).toBe(isV2);
  expect(sys.cgroups.kill(`${path}/gone`)).toBe(false);
  if (!isV2) child.kill('SIGKILL');
  await child.exited;
  expect(child.signalCode).toBe('SIGKILL');
});

test('write: the kernel refuses nonsense with its errno', () => {
  sys.cgroups.create(path);
  try {
    sys.cgroups.write('pids', path, 'pids.max', 'nonsense');
    expect.unreachable();
  } catch (error) {
    expect(errnoCode(error)).toBe('EINVAL');
  }
  sys.cgroups.write('pids', path, 'pids.max', '12');
  expect(sys.cgroups.read('pids', path, 'pids.max')).toBe('12');
});
