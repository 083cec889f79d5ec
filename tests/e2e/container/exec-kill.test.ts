import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, clientEnvironment, gantryClient } from '../../harness/programs.ts';

const engine = useEngine();

const api = (method: string, path: string): Promise<Response> =>
  fetch(`http://engine${path}`, { method, unix: engine.host.replace('unix://', '') });

async function execIds(name: string): Promise<string[]> {
  const answer = (await (await api('GET', `/containers/${name}/json`)).json()) as {
    ExecIDs: string[] | null;
  };
  return answer.ExecIDs ?? [];
}

/** Directory of a process's cgroup, in a v1 hierarchy or the unified one. */
function cgroupOf(pid: string): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, 'utf8').split('\n');
  const [, v1] = lines.map((line) => /:pids:(.*)$/.exec(line)).find(Boolean) ?? [];
  const [, v2] = lines.map((line) => /^0::(.*)$/.exec(line)).find(Boolean) ?? [];
  return v1 === undefined ? `/sys/fs/cgroup${v2}` : `/sys/fs/cgroup/pids${v1}`;
}

describe.each(allClients())('$name exec', (client) => {
  test('F15: an exec is killed with everything it has started', async () => {
    const name = uniqueName('tree');
    await engine.must(client, ['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
    const script = 'sleep 2001 & (setsid sleep 2002 &) ; sleep 2003';
    const child = Bun.spawn([client.path, 'exec', name, 'sh', '-c', script], {
      env: clientEnvironment({ host: engine.host }),
      stdio: ['ignore', 'ignore', 'ignore'],
    });
    const processes = async () => await engine.must(client, ['top', name, '-eo', 'pid,args']);
    await eventually('all processes', async () => {
      const seen = await processes();
      return ['2001', '2002', '2003'].every((number) => seen.includes(`sleep ${number}`));
    });
    const [id = ''] = await execIds(name);
    expect((await api('POST', `/gantry/exec/${id}/kill?signal=KILL`)).status).toBe(204);
    expect(await child.exited).toBe(137);
    await eventually('only the main process', async () => !/sleep 200/.test(await processes()));
    expect(await processes()).toContain('sleep 1000');
    expect((await api('POST', `/gantry/exec/${id}/kill`)).status).toBe(409);
    expect((await api('POST', '/gantry/exec/unknown/kill')).status).toBe(404);
    await engine.must(client, ['rm', '-f', name]);
  });

  test('a signal reaches a handler in the process alone', async () => {
    const name = uniqueName('signal');
    await engine.must(client, ['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
    const script = 'trap "echo got it; exit 7" USR1; touch /ready; while :; do sleep 0.02; done';
    const child = Bun.spawn([client.path, 'exec', name, 'sh', '-c', script], {
      env: clientEnvironment({ host: engine.host }),
      stdout: 'pipe',
    });
    await eventually(
      'the handler',
      async () => (await engine.run(client, ['exec', name, 'test', '-e', '/ready'])).code === 0,
    );
    const [id = ''] = await execIds(name);
    expect((await api('POST', `/gantry/exec/${id}/kill?signal=USR1&all=0`)).status).toBe(204);
    expect(await new Response(child.stdout).text()).toBe('got it\n');
    expect(await child.exited).toBe(7);
    await engine.must(client, ['rm', '-f', name]);
  });
});

test('R20: a hundred execs leave no descriptor, no process, no cgroup and no directory', async () => {
  const { daemon } = engine;
  if (!daemon) return;
  const name = uniqueName('many');
  await engine.must(gantryClient, ['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
  const cgroup = cgroupOf(await engine.must(gantryClient, ['inspect', '-f', '{{.State.Pid}}', name]));
  const exec = async () => expect(await engine.must(gantryClient, ['exec', name, 'echo', 'x'])).toBe('x');
  for (let n = 0; n < 10; n += 1) await exec();
  const figures = () => ({
    descriptors: readdirSync(`/proc/${daemon.pid}/fd`).length,
    execs: readdirSync(`${daemon.execRoot}/tasks`).flatMap((task) =>
      readdirSync(`${daemon.execRoot}/tasks/${task}/execs`),
    ).length,
    cgroups: readdirSync(cgroup, { withFileTypes: true }).filter((entry) => entry.isDirectory()).length,
  });
  const before = figures();
  for (let n = 0; n < 10; n += 1) await Promise.all(Array.from({ length: 10 }, exec));
  await eventually('nothing to be left', () => {
    const { descriptors, execs, cgroups } = figures();
    return descriptors <= before.descriptors + 2 && execs === 0 && cgroups === 0;
  });
  await engine.must(gantryClient, ['rm', '-f', name]);
});
