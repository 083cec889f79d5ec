import { describe, expect, test } from 'bun:test';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, type Client } from '../../harness/programs.ts';
import { isModern } from './known.ts';

const engine = useEngine();

const inspect = (client: Client, name: string, format: string): Promise<string> =>
  engine.must(client, ['inspect', '-f', format, name]);

/** A container that tells which signals it gets, and ends with 9 at USR1. */
const LISTENER =
  'trap "echo got TERM" TERM; trap "echo got USR1; exit 9" USR1; echo ready; while :; do sleep 0.05; done';

async function listener(client: Client, flags: readonly string[] = []): Promise<string> {
  const name = uniqueName('life');
  await engine.must(client, ['run', '-d', '--name', name, ...flags, 'busybox', 'sh', '-c', LISTENER]);
  await said(client, name, 'ready', 1);
  return name;
}

/** How often its log, which is that of all its runs, has a line. */
async function countLines(client: Client, name: string, line: string): Promise<number> {
  return (await engine.must(client, ['logs', name])).split('\n').filter((each) => each === line).length;
}

/** Waits until it has said something so many times. A run takes signals when it has said `ready`. */
const said = (client: Client, name: string, line: string, times: number) =>
  eventually(`"${line}" ${times} times`, async () => (await countLines(client, name, line)) === times);

describe.each(allClients())('$name life of a container', (client) => {
  test('create, start -a -i, wait, rm', async () => {
    const name = uniqueName('life');
    await engine.must(client, ['create', '-i', '--name', name, 'busybox', 'sh', '-c', 'cat; exit 7']);
    expect(await inspect(client, name, '{{.State.Status}}')).toBe('created');
    const result = await engine.run(client, ['start', '-a', '-i', name], { stdin: 'to the container\n' });
    expect(result).toEqual({ code: 7, stdout: 'to the container\n', stderr: '' });
    expect(await engine.must(client, ['wait', name])).toBe('7');
    expect(await engine.must(client, ['rm', name])).toBe(name);
    expect((await engine.run(client, ['inspect', name])).code).toBe(1);
  });

  test('start several, stop with a signal and a timeout, kill with a signal', async () => {
    const [one, two] = [await listener(client), await listener(client, ['--stop-signal', 'USR1'])];
    expect((await engine.must(client, ['stop', '-t', '0', one])).trim()).toBe(one);
    expect(await inspect(client, one, '{{.State.ExitCode}} {{.State.Running}}')).toBe('137 false');
    await engine.must(client, ['stop', two]);
    expect(await inspect(client, two, '{{.State.ExitCode}}')).toBe('9');
    expect((await engine.must(client, ['start', one, two])).split('\n')).toEqual([one, two]);
    await said(client, one, 'ready', 2);
    // Its first run may have had time to tell of the TERM that comes before the end.
    const before = await countLines(client, one, 'got TERM');
    await engine.must(client, ['kill', '-s', 'TERM', one]);
    await said(client, one, 'got TERM', before + 1);
    await engine.must(client, ['kill', one]);
    expect(await engine.must(client, ['wait', one])).toBe('137');
    const refused = await engine.run(client, ['kill', one]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('is not running')]);
    await engine.must(client, ['rm', '-f', one, two]);
  });

  test.skipIf(!isModern(client))('stop -s and restart -s name the signal', async () => {
    const name = await listener(client);
    await engine.must(client, ['stop', '-s', 'USR1', name]);
    expect(await inspect(client, name, '{{.State.ExitCode}}')).toBe('9');
    await engine.must(client, ['start', name]);
    const started = await inspect(client, name, '{{.State.StartedAt}}');
    await said(client, name, 'ready', 2);
    await engine.must(client, ['restart', '-s', 'USR1', name]);
    expect(await inspect(client, name, '{{.State.StartedAt}}')).not.toBe(started);
    expect(await countLines(client, name, 'got USR1')).toBe(2);
    await engine.must(client, ['rm', '-f', name]);
  });

  test('restart -t gives a new process', async () => {
    const name = await listener(client);
    const pid = await inspect(client, name, '{{.State.Pid}}');
    await engine.must(client, ['restart', '-t', '0', name]);
    const after = await inspect(client, name, '{{.State.Pid}} {{.State.Running}}');
    expect(after).toMatch(/^[1-9]\d* true$/);
    expect(after).not.toBe(`${pid} true`);
    await engine.must(client, ['rm', '-f', name]);
  });

  test('pause, unpause, rename, and what they refuse', async () => {
    const name = uniqueName('life');
    await engine.must(client, ['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
    expect(await engine.must(client, ['pause', name])).toBe(name);
    expect(await inspect(client, name, '{{.State.Status}} {{.State.Paused}}')).toBe('paused true');
    const twice = await engine.run(client, ['pause', name]);
    expect([twice.code, twice.stderr]).toEqual([1, expect.stringContaining('is already paused')]);
    expect((await engine.run(client, ['exec', name, 'true'])).stderr).toContain('is paused');
    await engine.must(client, ['unpause', name]);
    expect(await inspect(client, name, '{{.State.Status}}')).toBe('running');
    await engine.must(client, ['rename', name, `${name}-new`]);
    expect(await inspect(client, `${name}-new`, '{{.Name}}')).toBe(`/${name}-new`);
    expect((await engine.run(client, ['inspect', name])).code).toBe(1);
    await engine.must(client, ['rm', '-f', `${name}-new`]);
  });

  test('rm: running only with -f, anonymous volumes with -v', async () => {
    const name = uniqueName('life');
    await engine.must(client, ['run', '-d', '-v', '/data', '--name', name, 'busybox', 'sleep', '1000']);
    const volume = await inspect(client, name, '{{(index .Mounts 0).Name}}');
    const refused = await engine.run(client, ['rm', name]);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/container is running|You cannot remove a running container/);
    await engine.must(client, ['rm', '-f', '-v', name]);
    expect((await engine.run(client, ['volume', 'inspect', volume])).code).toBe(1);
    const several = await engine.run(client, ['rm', name, 'no-such-container']);
    expect(several.stderr).toContain('no-such-container');
    expect(several.stderr).toContain(name);
  });

  test('update: limits of a running container, its restart policy, and what does not fit', async () => {
    const name = uniqueName('life');
    await engine.must(client, ['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
    const limits = ['-c', '256', '-m', '48m', '--memory-swap', '96m', '--memory-reservation', '24m'];
    limits.push(
      '--cpuset-cpus',
      '0',
      '--cpuset-mems',
      '0',
      '--pids-limit',
      '33',
      '--restart',
      'on-failure:2',
    );
    await engine.must(client, ['update', ...limits, '--cpu-period', '50000', '--cpu-quota', '20000', name]);
    const fields = ['CpuShares', 'Memory', 'MemorySwap', 'MemoryReservation', 'CpusetCpus', 'CpusetMems'];
    fields.push('PidsLimit', 'CpuPeriod', 'CpuQuota', 'RestartPolicy.Name');
    const shown = await inspect(client, name, fields.map((field) => `{{.HostConfig.${field}}}`).join(' '));
    expect(shown).toBe('256 50331648 100663296 25165824 0 0 33 50000 20000 on-failure');
    const files = 'cat /sys/fs/cgroup/pids/pids.max 2>/dev/null || cat /sys/fs/cgroup/pids.max';
    expect(await engine.must(client, ['exec', name, 'sh', '-c', files])).toBe('33');
    const refused = await engine.run(client, ['update', '-m', '1k', name]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/minimum memory limit/i)]);
    await engine.must(client, ['rm', '-f', name]);
  });

  test.skipIf(!isModern(client))('update --cpus', async () => {
    const name = uniqueName('life');
    await engine.must(client, ['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
    await engine.must(client, ['update', '--cpus', '0.5', name]);
    expect(await inspect(client, name, '{{.HostConfig.NanoCpus}}')).toBe('500000000');
    await engine.must(client, ['rm', '-f', name]);
  });

  test('container prune: stopped ones that match, after a yes', async () => {
    const label = uniqueName('prune');
    const id = await engine.must(client, ['create', '-l', label, 'busybox', 'true']);
    const kept = await engine.must(client, ['create', 'busybox', 'true']);
    const prune = ['container', 'prune', '--filter', `label=${label}`];
    await engine.run(client, prune, { stdin: 'n\n' });
    expect(await inspect(client, id, '{{.Id}}')).toBe(id);
    const done = await engine.run(client, prune, { stdin: 'y\n' });
    expect(done.stdout).toContain(`Deleted Containers:\n${id}\n\nTotal reclaimed space: `);
    expect(await engine.must(client, ['container', 'prune', '-f', '--filter', `label=${label}`])).toBe(
      'Total reclaimed space: 0B',
    );
    await engine.must(client, ['rm', kept]);
  });

  test('wait for several that end later', async () => {
    const script = 'while ! [ -e /go ]; do sleep 0.02; done; exit $1';
    const ids = await Promise.all(
      ['3', '4'].map((code) => engine.must(client, ['run', '-d', 'busybox', 'sh', '-c', script, 'sh', code])),
    );
    const waiting = engine.must(client, ['wait', ...ids]);
    for (const id of ids) await engine.must(client, ['exec', id, 'touch', '/go']);
    expect((await waiting).split('\n').sort()).toEqual(['3', '4']);
    await engine.must(client, ['rm', ...ids]);
  });
});
