import { describe, expect, test } from 'bun:test';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, clientEnvironment } from '../../harness/programs.ts';

const engine = useEngine();
const FORMAT = '{{.Name}} {{.MemUsage}} {{.PIDs}} {{.NetIO}}';

describe.each(allClients())('$name stats', (client) => {
  test('--no-stream shows memory, limit, processes and network of a running container', async () => {
    const name = uniqueName('stats');
    await engine.must(client, ['run', '-d', '--name', name, '-m', '64m', 'busybox', 'sleep', '1000']);
    const [shown = '', usage = '', , limit, pids, received] = (
      await engine.must(client, ['stats', '--no-stream', '--format', FORMAT, name])
    ).split(' ');
    expect(shown).toBe(name);
    expect(usage).toMatch(/^[\d.]+(KiB|MiB|B)$/);
    expect([limit, pids]).toEqual(['64MiB', '1']);
    expect(received).toMatch(/^[\d.]+k?B$/);
    await engine.must(client, ['rm', '-f', name]);
  });

  test('the stream shows CPU use, and ends with the container', async () => {
    const name = uniqueName('busy');
    const script = 'while :; do :; done';
    await engine.must(client, ['run', '-d', '--name', name, '--cpus', '0.2', 'busybox', 'sh', '-c', script]);
    const child = Bun.spawn([client.path, 'stats', '--format', '{{.CPUPerc}}', name], {
      env: clientEnvironment({ host: engine.host }),
      stdout: 'pipe',
    });
    let seen = '';
    const reading = (async () => {
      for await (const chunk of child.stdout) seen += Buffer.from(chunk).toString();
    })();
    await eventually('a share of a CPU', () =>
      [...seen.matchAll(/([\d.]+)%/g)].some(([, percent]) => Number(percent) > 5),
    );
    child.kill('SIGKILL');
    await child.exited;
    await reading;
    await engine.must(client, ['rm', '-f', name]);
  });

  test('-a shows a container that does not run with zeros', async () => {
    const name = uniqueName('idle');
    await engine.must(client, ['create', '--name', name, 'busybox']);
    const out = await engine.must(client, ['stats', '--no-stream', '--format', '{{.Name}} {{.PIDs}}', name]);
    expect(out).toBe(`${name} 0`);
    await engine.must(client, ['rm', name]);
  });
});
