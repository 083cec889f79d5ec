import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine();

/** A file of a process's cgroup, by its v1 controller and name, or its v2 name. */
function limit(pid: string, controller: string, v1: string, v2: string): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n');
  const [, path] = lines.map((line) => new RegExp(`:${controller}:(.*)$`).exec(line)).find(Boolean) ?? [];
  if (path !== undefined) return readFileSync(`/sys/fs/cgroup/${controller}${path}/${v1}`, 'utf8').trim();
  const [, unified] = lines.map((line) => /^0::(.*)$/.exec(line)).find(Boolean) ?? [];
  return readFileSync(`/sys/fs/cgroup${unified}/${v2}`, 'utf8').trim();
}

const MB = 1024 * 1024;

describe.each(allClients())('$name update', (client) => {
  test('limits take effect on the running container', async () => {
    const name = uniqueName('update');
    await engine.must(client, ['run', '-d', '--name', name, '-m', '64m', 'busybox', 'sleep', '1000']);
    const pid = await engine.must(client, ['inspect', '-f', '{{.State.Pid}}', name]);
    const update = (...flags: string[]) => engine.must(client, ['update', ...flags, name]);
    const memory = () => limit(pid, 'memory', 'memory.limit_in_bytes', 'memory.max');
    const pids = () => limit(pid, 'pids', 'pids.max', 'pids.max');
    await update('-m', '32m', '--memory-swap', '32m');
    expect(memory()).toBe(String(32 * MB));
    await update('-m', '128m', '--memory-swap', '256m');
    expect(memory()).toBe(String(128 * MB));
    await update('--pids-limit', '50');
    expect(pids()).toBe('50');
    await update('--pids-limit', '-1');
    expect(pids()).toBe('max');
    await update('--cpuset-cpus', '0', '--cpus', '0.5');
    expect(limit(pid, 'cpuset', 'cpuset.cpus', 'cpuset.cpus')).toBe('0');
    expect(limit(pid, 'cpu', 'cpu.cfs_quota_us', 'cpu.max')).toMatch(/^50000/);
    expect(await engine.must(client, ['inspect', '-f', '{{.HostConfig.Memory}}', name])).toBe(
      String(128 * MB),
    );
    const refused = await engine.run(client, ['update', '-m', '1g', name]);
    expect(refused.stderr).toContain('Memory limit should be smaller than already set memoryswap limit');
    await engine.must(client, ['rm', '-f', name]);
  });

  test('a block I/O weight is taken at create and by update', async () => {
    const name = uniqueName('weight');
    await engine.must(client, [
      'run',
      '-d',
      '--name',
      name,
      '--blkio-weight',
      '200',
      'busybox',
      'sleep',
      '1000',
    ]);
    await engine.must(client, ['update', '--blkio-weight', '300', name]);
    const pid = await engine.must(client, ['inspect', '-f', '{{.State.Pid}}', name]);
    if (existsSync('/sys/fs/cgroup/blkio')) {
      expect(limit(pid, 'blkio', 'blkio.bfq.weight', 'io.bfq.weight')).toContain('300');
    }
    expect(await engine.must(client, ['inspect', '-f', '{{.HostConfig.BlkioWeight}}', name])).toBe('300');
    await engine.must(client, ['rm', '-f', name]);
  });

  test('the restart policy is in force for the present run', async () => {
    const name = uniqueName('policy');
    await engine.must(client, ['run', '-d', '--name', name, '--init', 'busybox', 'sleep', '1000']);
    await engine.must(client, ['update', '--restart', 'on-failure:1', name]);
    const pid = Number(await engine.must(client, ['inspect', '-f', '{{.State.Pid}}', name]));
    process.kill(pid, 'SIGKILL');
    const count = ['inspect', '-f', '{{.RestartCount}}', name];
    await eventually('the restart', async () => (await engine.must(client, count)) === '1');
    const bad = await engine.run(client, ['update', '--restart', 'sometimes', name]);
    expect(bad.code).toBe(1);
    await engine.must(client, ['rm', '-f', name]);
    await engine.must(client, ['run', '-d', '--rm', '--name', name, 'busybox', 'sleep', '1000']);
    const refused = await engine.run(client, ['update', '--restart', 'always', name]);
    expect(refused.stderr).toContain('Restart policy cannot be updated because AutoRemove is enabled');
    await engine.must(client, ['rm', '-f', name]);
  });
});
