import { describe, expect, test } from 'bun:test';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine();
const SERVER = 'mkdir /www; echo served > /www/index.html; exec httpd -f -p 80 -h /www';

const fetchText = async (address: string): Promise<string> => {
  const response = await fetch(`http://${address}/`, { signal: AbortSignal.timeout(2000) });
  return await response.text();
};

describe.each(allClients())('$name network', (client) => {
  test('run -d -p: the host port answers, by loopback and by every address; port tells it', async () => {
    const name = uniqueName('web');
    await engine.must(client, ['run', '-d', '--name', name, '-p', '0:80', 'busybox', 'sh', '-c', SERVER]);
    const port = (await engine.must(client, ['port', name, '80/tcp'])).split('\n')[0]?.split(':').at(-1);
    expect(Number(port)).toBeGreaterThan(1023);
    expect(await eventually('the server', () => fetchText(`127.0.0.1:${port}`))).toBe('served\n');
    const gateway = await engine.must(client, [
      'inspect',
      '-f',
      '{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}',
      name,
    ]);
    expect(await fetchText(`${gateway}:${port}`)).toBe('served\n');
    const address = await engine.must(client, [
      'inspect',
      '-f',
      '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
      name,
    ]);
    const inside = await engine.must(client, [
      'run',
      '--rm',
      'busybox',
      'wget',
      '-q',
      '-O-',
      `http://${address}/`,
    ]);
    expect(inside).toBe('served');
    await engine.must(client, ['rm', '-f', name]);
    await expect(fetchText(`127.0.0.1:${port}`)).rejects.toThrow();
  });

  test('a port in use is refused, and the container is not left running', async () => {
    const first = uniqueName('first');
    const second = uniqueName('second');
    await engine.must(client, ['run', '-d', '--name', first, '-p', '0:80', 'busybox', 'sleep', '1000']);
    const port = (await engine.must(client, ['port', first, '80/tcp'])).split('\n')[0]?.split(':').at(-1);
    const result = await engine.run(client, [
      'run',
      '-d',
      '--name',
      second,
      '-p',
      `${port}:80`,
      'busybox',
      'sleep',
      '1000',
    ]);
    expect(result.code).toBe(125);
    expect(result.stderr).toMatch(/port is already allocated|address already in use/);
    expect(await engine.must(client, ['inspect', '-f', '{{.State.Running}}', second])).toBe('false');
    await engine.must(client, ['rm', '-f', first, second]);
  });

  test('none has loopback only, host shares the namespace, container:ID shares the other one', async () => {
    const links = ['ls', '/sys/class/net'];
    expect(await engine.must(client, ['run', '--rm', '--network', 'none', 'busybox', ...links])).toBe('lo');
    const host = await engine.must(client, [
      'run',
      '--rm',
      '--network',
      'host',
      'busybox',
      'readlink',
      '/proc/self/ns/net',
    ]);
    expect(host).toBe((await Bun.$`readlink /proc/self/ns/net`.text()).trim());
    const name = uniqueName('shared');
    await engine.must(client, ['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
    const theirs = await engine.must(client, ['exec', name, 'readlink', '/proc/self/ns/net']);
    const ours = await engine.must(client, [
      'run',
      '--rm',
      '--network',
      `container:${name}`,
      'busybox',
      'readlink',
      '/proc/self/ns/net',
    ]);
    expect(ours).toBe(theirs);
    await engine.must(client, ['rm', '-f', name]);
  });

  test('hosts, resolv.conf and hostname are there and hold the container', async () => {
    const out = await engine.must(client, [
      'run',
      '--rm',
      '-h',
      'box',
      '--add-host',
      'db:10.1.2.3',
      '--dns',
      '10.9.8.7',
      'busybox',
      'cat',
      '/etc/hosts',
      '/etc/resolv.conf',
      '/etc/hostname',
    ]);
    expect(out).toMatch(/127\.0\.0\.1\s+localhost/);
    expect(out).toMatch(/10\.1\.2\.3\s+db/);
    expect(out).toMatch(/\d+\s+box/);
    expect(out).toContain('nameserver 10.9.8.7');
    expect(out.endsWith('box')).toBe(true);
  });
});
