import { describe, expect, test } from 'bun:test';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, type Client } from '../../harness/programs.ts';

const engine = useEngine();

/** A container to link to. */
async function startDatabase(client: Client): Promise<string> {
  const name = uniqueName('db');
  const flags = ['--hostname', 'fred', '-e', 'FOO=bar', '--expose', '80', '--expose', '53/udp'];
  await engine.must(client, ['run', '-d', '--name', name, ...flags, 'busybox', 'sleep', '1000']);
  return name;
}

const inspect = (client: Client, name: string, format: string) =>
  engine.must(client, ['inspect', '-f', format, name]);
const addressOf = (client: Client, name: string) =>
  inspect(client, name, '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}');

describe.each(allClients())('$name --link', (client) => {
  test('gives the linking container names and variables of the other one, also in execs', async () => {
    const db = await startDatabase(client);
    const web = uniqueName('web');
    const address = await addressOf(client, db);
    await engine.must(client, [
      'run',
      '-d',
      '--name',
      web,
      '--link',
      `${db}:the-db`,
      'busybox',
      'sleep',
      '1000',
    ]);
    const hosts = await engine.must(client, ['exec', web, 'cat', '/etc/hosts']);
    expect(hosts).toContain(`${address}\tthe-db fred ${db}\n`);
    expect((await engine.must(client, ['exec', web, 'env'])).split('\n')).toEqual(
      expect.arrayContaining([
        `THE_DB_PORT=udp://${address}:53`,
        `THE_DB_PORT_80_TCP=tcp://${address}:80`,
        `THE_DB_PORT_80_TCP_ADDR=${address}`,
        'THE_DB_PORT_80_TCP_PORT=80',
        'THE_DB_PORT_80_TCP_PROTO=tcp',
        `THE_DB_NAME=/${web}/the-db`,
        'THE_DB_ENV_FOO=bar',
      ]),
    );
    expect(await engine.must(client, ['exec', web, 'ping', '-c1', '-W2', 'the-db'])).toContain(
      '1 packets received',
    );
    expect(await inspect(client, web, '{{json .HostConfig.Links}}')).toBe(`["/${db}:/${web}/the-db"]`);
    const names = ['ps', '--no-trunc', '--filter', `name=${db}`, '--format', '{{.Names}}'];
    expect(await engine.must(client, names)).toBe([db, `${web}/the-db`].toSorted().join(','));
    expect(await inspect(client, `${web}/the-db`, '{{.Name}}')).toBe(`/${db}`);
    await engine.must(client, ['rm', '-f', web, db]);
  });

  test('follows the other one to its next address, and leaves what the container wrote itself', async () => {
    const db = await startDatabase(client);
    const web = uniqueName('web');
    const filler = uniqueName('filler');
    await engine.must(client, ['run', '-d', '--name', web, '--link', db, 'busybox', 'sleep', '1000']);
    await engine.must(client, ['exec', web, 'sh', '-c', 'echo 10.1.1.1 mine >> /etc/hosts']);
    const before = await addressOf(client, db);
    await engine.must(client, ['stop', '-t', '0', db]);
    await engine.must(client, ['run', '-d', '--name', filler, 'busybox', 'sleep', '1000']);
    await engine.must(client, ['start', db]);
    const after = await addressOf(client, db);
    expect(after).not.toBe(before);
    const hosts = await engine.must(client, ['exec', web, 'cat', '/etc/hosts']);
    expect(hosts).toContain(`${after}\t${db} fred\n`);
    expect(hosts).not.toContain(`${before}\t${db}`);
    expect(hosts).toContain('10.1.1.1 mine');
    await engine.must(client, ['rm', '-f', web, db, filler]);
  });

  test('rm --link takes the link away, and neither container', async () => {
    const db = await startDatabase(client);
    const web = uniqueName('web');
    const links = ['--link', `${db}:a`, '--link', `${db}:b`];
    await engine.must(client, ['run', '-d', '--name', web, ...links, 'busybox', 'sleep', '1000']);
    await engine.must(client, ['rm', '--link', `${web}/a`]);
    expect(await inspect(client, web, '{{json .HostConfig.Links}} {{.State.Running}}')).toBe(
      `["/${db}:/${web}/b"] true`,
    );
    const wrong = await engine.run(client, ['rm', '--link', web]);
    expect(wrong.stderr).toContain('Conflict, cannot remove the default link name of the container');
    await engine.must(client, ['restart', '-t', '0', web]);
    const hosts = await engine.must(client, ['exec', web, 'cat', '/etc/hosts']);
    expect([hosts.includes('\ta '), hosts.includes('\tb ')]).toEqual([false, true]);
    await engine.must(client, ['rm', '-f', web, db]);
  });

  test('is refused where it leads nowhere', async () => {
    const host = uniqueName('host');
    const none = uniqueName('none');
    const stopped = uniqueName('stopped');
    const web = uniqueName('web');
    await engine.must(client, ['run', '-d', '--name', host, '--net', 'host', 'busybox', 'sleep', '1000']);
    await engine.must(client, ['run', '-d', '--name', none, '--net', 'none', 'busybox', 'sleep', '1000']);
    await engine.must(client, ['create', '--name', stopped, 'busybox', 'true']);
    for (const [flags, text] of [
      [['--link', 'absent'], 'could not get container for absent: No such container: absent'],
      [['--link', `${host}:h`], "host type networking can't be used with links."],
      // 20.10 refuses it by itself, in other words.
      [['--link', stopped, '--net', 'host'], 'links'],
      [['--link', stopped, '--net', `container:${none}`], 'links'],
      [['--link', `${stopped}:s`], `Cannot link to a non running container: /${stopped} AS /${web}/s`],
      [['--link', `${none}:n`], `Cannot link to /${none}, as it does not belong to the default network`],
    ] as const) {
      const result = await engine.run(client, ['run', '--name', web, ...flags, 'busybox', 'true']);
      expect([flags, result.code, result.stderr]).toEqual([flags, 125, expect.stringContaining(text)]);
      await engine.run(client, ['rm', '-f', web]);
    }
    await engine.must(client, ['rm', '-f', host, none, stopped]);
  });
});
