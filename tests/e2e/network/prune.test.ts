import { describe, expect, test } from 'bun:test';
import { givenHost } from '../../harness/daemon.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, gantryClient } from '../../harness/programs.ts';

const engine = useEngine();

const call = async (method: string, path: string, body?: object): Promise<[number, unknown]> => {
  const response = await fetch(`http://engine${path}`, {
    method,
    unix: engine.host.replace(/^unix:\/\//, ''),
    ...(body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  });
  const text = await response.text();
  return [response.status, text === '' ? undefined : JSON.parse(text)];
};
const filtered = (filters: object) => `?filters=${encodeURIComponent(JSON.stringify(filters))}`;

// Prunes what others of the same engine may need.
describe.skipIf(givenHost() !== undefined).each(allClients())('$name system prune', (client) => {
  test('-f, --volumes, --filter and -a go through to the end', async () => {
    const name = uniqueName('ended');
    const kept = uniqueName('kept');
    await engine.must(client, ['run', '--name', name, 'busybox', 'true']);
    const id = await engine.must(client, ['inspect', '-f', '{{.Id}}', name]);
    await engine.must(client, ['create', '--name', kept, '--label', 'keep', 'busybox', 'true']);
    expect(await engine.must(client, ['system', 'prune', '-f', '--filter', 'label!=keep'])).toBe(
      `Deleted Containers:\n${id}\n\nTotal reclaimed space: 0B`,
    );
    for (const flags of [
      ['--filter', 'until=10m'],
      ['--filter', 'label=absent'],
      ['-a', '--filter', 'until=10h'],
    ]) {
      expect(await engine.must(client, ['system', 'prune', '-f', ...flags])).toBe(
        'Total reclaimed space: 0B',
      );
    }
    const wrong = await engine.run(client, ['system', 'prune', '-f', '--filter', 'absent=1']);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining("invalid filter 'absent'")]);
    expect(await engine.must(client, ['system', 'prune', '-f', '--volumes'])).toContain(
      'Total reclaimed space: 0B',
    );
    expect((await engine.run(client, ['inspect', kept])).code).toBe(1);
    // Our client has no commands for networks yet.
    if (client.name !== gantryClient.name)
      expect(await engine.must(client, ['network', 'prune', '-f'])).toBe('');
    expect(await engine.must(client, ['system', 'prune', '-a', '-f'])).toContain('untagged: busybox:latest');
    await engine.must(gantryClient, ['image', 'bootstrap', 'busybox']);
  });
});

describe('networks over the API', () => {
  test('prune answers what there is: nothing', async () => {
    expect(await call('POST', '/networks/prune')).toEqual([200, { NetworksDeleted: null }]);
    expect(await call('POST', `/networks/prune${filtered({ label: ['a'], until: ['1h'] })}`)).toEqual([
      200,
      { NetworksDeleted: null },
    ]);
    expect(await call('POST', '/build/prune?all=1&keep-storage=10')).toEqual([
      200,
      { CachesDeleted: null, SpaceReclaimed: 0 },
    ]);
  });

  test('prune checks its filters', async () => {
    const refused = [
      [`/networks/prune${filtered({ zz: ['a'] })}`, /^invalid filter 'zz'$/i],
      [`/networks/prune${filtered({ until: ['a'] })}`, /^failed to parse value as time or duration: "a"$/],
      [`/networks/prune${filtered({ until: ['1h', '2h'] })}`, /^more than one until filter specified$/],
      [`/build/prune${filtered({ zz: ['a'] })}`, /^failed to prune build cache: invalid filter 'zz'$/i],
      [`/build/prune${filtered({ until: ['1h', '2h'] })}`, /: filters expect only one value$/],
      ['/build/prune?keep-storage=abc', /^keep-storage is in bytes and expects an integer, got abc: /],
    ] as const;
    for (const [path, text] of refused) {
      const [status, body] = await call('POST', path);
      expect([path, status >= 400, body]).toEqual([
        path,
        true,
        expect.objectContaining({ message: expect.stringMatching(text) }),
      ]);
    }
  });

  test('predefined networks cannot be removed, made or joined in docker’s words', async () => {
    for (const name of ['bridge', 'host', 'none']) {
      expect(await call('DELETE', `/networks/${name}`)).toMatchObject([
        403,
        { message: `${name} is a pre-defined network and cannot be removed` },
      ]);
      expect(await call('POST', '/networks/create', { Name: name })).toMatchObject([
        403,
        { message: expect.stringContaining(`operation is not permitted on predefined ${name} network`) },
      ]);
    }
    expect(await call('DELETE', '/networks/absent')).toMatchObject([
      404,
      { message: 'network absent not found' },
    ]);
    const web = uniqueName('web');
    await engine.must(gantryClient, ['run', '-d', '--name', web, 'busybox', 'sleep', '1000']);
    const connect = (network: string) => call('POST', `/networks/${network}/connect`, { Container: web });
    expect(await connect('bridge')).toMatchObject([
      403,
      { message: `endpoint with name ${web} already exists in network bridge` },
    ]);
    expect(await connect('host')).toMatchObject([
      400,
      { message: 'container cannot be disconnected from host network or connected to host network' },
    ]);
    expect(await connect('none')).toMatchObject([
      400,
      { message: expect.stringContaining('private (none) mode') },
    ]);
    expect(await call('POST', '/networks/bridge/connect', { Container: 'absent' })).toMatchObject([
      404,
      { message: 'No such container: absent' },
    ]);
    await engine.must(gantryClient, ['rm', '-f', web]);
  });

  test.skipIf(givenHost() !== undefined)(
    'user-defined networks are refused by name, not as an unknown page',
    async () => {
      const text = 'user-defined networks are not supported by this version of gantry';
      expect(await call('POST', '/networks/create', { Name: 'mine' })).toMatchObject([
        501,
        { message: text },
      ]);
    },
  );
});
