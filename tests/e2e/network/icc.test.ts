import { describe, expect, test } from 'bun:test';
import { givenHost } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, type Client } from '../../harness/programs.ts';

const engine = useEngine({ flags: ['--icc=false', '--host-gateway-ip', '10.1.2.3', '--ip', '127.0.0.1'] });
const SERVER =
  'mkdir /w; echo hi > /w/index.html; httpd -h /w -p 80; httpd -h /w -p 81; exec httpd -f -h /w -p 82';

describe.skipIf(givenHost() !== undefined).each(allClients())('$name with --icc=false', (client) => {
  test('links open what is exposed, publishing what is published; all else is shut until rm --link', async () => {
    const server = uniqueName('server');
    const web = uniqueName('web');
    const other = uniqueName('other');
    const start = async (name: string, ...args: string[]) =>
      void (await engine.must(client, ['run', '-d', '--name', name, ...args]));
    await start(server, '--expose', '80', '-p', '0:82', 'busybox', 'sh', '-c', SERVER);
    await start(web, '--link', `${server}:s`, 'busybox', 'sleep', '1000');
    await start(other, 'busybox', 'sleep', '1000');
    const inspect = (format: string) => engine.must(client, ['inspect', '-f', format, server]);
    const address = await inspect('{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}');
    const [binding] = JSON.parse(await inspect('{{json (index .NetworkSettings.Ports "82/tcp")}}'));
    expect(binding.HostIp).toBe('127.0.0.1');
    const get = async (from: string, url: string) => {
      const { stdout } = await engine.run(client, ['exec', from, 'timeout', '1', 'wget', '-q', '-O-', url]);
      return stdout.trim();
    };
    await eventually('the link', async () => (await get(web, 'http://s/')) === 'hi');
    expect(await get(web, 'http://s:81/')).toBe('');
    expect(await get(other, `http://${address}/`)).toBe('');
    expect(await (await fetch(`http://127.0.0.1:${binding.HostPort}/`)).text()).toBe('hi\n');
    await engine.must(client, ['rm', '--link', `${web}/s`]);
    expect(await get(web, `http://${address}/`)).toBe('');
    await engine.must(client, ['rm', '-f', web, other, server]);
  });

  test('host-gateway is what the daemon was told', async () => {
    const hosts = await hostsOf(client, ['--add-host', 'up:host-gateway']);
    expect(hosts).toContain('10.1.2.3\tup\n');
    expect(await hostsOf(client, ['--net', 'host', '--add-host', 'up:host-gateway'])).toContain(
      '10.1.2.3\tup',
    );
  });
});

const hostsOf = (client: Client, flags: readonly string[]) =>
  engine.must(client, ['run', '--rm', ...flags, 'busybox', 'cat', '/etc/hosts']);
