import { afterEach, describe, expect, test } from 'bun:test';
import { callApi } from '../../harness/api.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine();
const call = (method: string, path: string, options: Parameters<typeof callApi>[3] = {}) =>
  callApi(engine.host, method, path, options);
const create = (body: object, name = uniqueName('bad')) =>
  call('POST', `/containers/create?name=${name}`, { body: { Image: 'busybox', Cmd: ['true'], ...body } });

async function containers(): Promise<string[]> {
  const { json } = await call('GET', '/containers/json?all=1');
  return (json as { Names: string[] }[]).flatMap(({ Names }) => Names);
}

/** Whatever was refused, nothing of it is left. */
afterEach(async () => {
  expect((await containers()).filter((name) => name.includes('-bad-'))).toEqual([]);
});

describe('POST /containers/create refuses', () => {
  test.each([
    ['an unknown image', { Image: 'no-such-image' }, 404, 'No such image: no-such-image:latest'],
    ['a bad reference', { Image: 'UPPER case' }, 400, 'invalid reference format'],
    ['too little memory', { HostConfig: { Memory: 1024 } }, 400, 'Minimum memory limit allowed is 6MB'],
    [
      'swap below memory',
      { HostConfig: { Memory: 2e7, MemorySwap: 1e7 } },
      400,
      'Minimum memoryswap limit should be larger than memory limit',
    ],
    [
      'a relative working directory',
      { WorkingDir: 'here' },
      400,
      "the working directory 'here' is invalid, it needs to be an absolute path",
    ],
    [
      'a mount on a relative path',
      { HostConfig: { Binds: ['/tmp:here'] } },
      400,
      "invalid mount path: 'here'",
    ],
    ['a mount on the root', { HostConfig: { Binds: ['/tmp:/'] } }, 400, "destination can't be '/'"],
    [
      'a bind of a path that is not there',
      { HostConfig: { Mounts: [{ Type: 'bind', Source: '/no/such/path', Target: '/x' }] } },
      400,
      'bind source path does not exist: /no/such/path',
    ],
    [
      'two mounts on one path',
      { HostConfig: { Binds: ['/tmp:/x', '/var:/x'] } },
      400,
      'Duplicate mount point: /x',
    ],
    ['an unknown runtime', { HostConfig: { Runtime: 'no-such-runtime' } }, 400, 'no-such-runtime'],
    [
      'an unknown log driver',
      { HostConfig: { LogConfig: { Type: 'no-such-driver' } } },
      400,
      'no-such-driver',
    ],
    [
      'a bad port',
      { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '99999' }] } } },
      400,
      'nvalid port',
    ],
    [
      '--rm with a restart policy',
      { HostConfig: { AutoRemove: true, RestartPolicy: { Name: 'always' } } },
      400,
      "can't create 'AutoRemove' container with restart policy",
    ],
    ['an unknown capability', { HostConfig: { CapAdd: ['NO_SUCH'] } }, 400, 'NO_SUCH'],
  ])('%s', async (_what, body, status, text) => {
    const answer = await create(body);
    expect([answer.status, answer.message]).toEqual([status, expect.stringContaining(text)]);
  });

  test('no command at all', async () => {
    const [client] = allClients();
    if (!client) throw new Error('no client program on this machine');
    const image = uniqueName('empty');
    await Bun.$`mkdir -p /tmp/${image} && tar -C /tmp/${image} -cf /tmp/${image}.tar .`.quiet();
    await engine.must(client, ['import', `/tmp/${image}.tar`, image]);
    const answer = await call('POST', `/containers/create?name=${uniqueName('bad')}`, {
      body: { Image: image },
    });
    expect([answer.status, answer.message]).toEqual([400, expect.stringMatching(/no command specified/i)]);
    await engine.must(client, ['rmi', image]);
    await Bun.$`rm -r /tmp/${image} /tmp/${image}.tar`.quiet();
  });

  test.each([
    ['a name with bad characters', 'no spaces', 400, 'Invalid container name'],
    ['a name of one letter', 'x', 400, 'Invalid container name'],
  ])('%s', async (_what, name, status, text) => {
    const answer = await create({}, encodeURIComponent(name));
    expect([answer.status, answer.message]).toEqual([status, expect.stringContaining(text)]);
  });

  test('a name in use, naming the holder', async () => {
    const name = uniqueName('held');
    const first = await create({}, name);
    const { Id } = first.json as { Id: string };
    const second = await create({}, name);
    expect([second.status, second.message]).toEqual([
      409,
      `Conflict. The container name "/${name}" is already in use by container "${Id}". You have to remove (or rename) that container to be able to reuse that name.`,
    ]);
    expect((await call('DELETE', `/containers/${name}`)).status).toBe(204);
  });
});

describe('requests that are wrong as such', () => {
  test.each([
    ['broken JSON', '{"Image": "busybox"', 400],
    ['two documents', '{"Image": "busybox"} {}', 400],
    ['a wrong type', '{"Image": 7}', 400],
    ['no body', '', 400],
  ])('%s', async (_what, raw, status) => {
    const answer = await call('POST', `/containers/create?name=${uniqueName('bad')}`, { raw });
    expect(answer.status).toBe(status);
    expect(answer.message).not.toBe('');
  });

  test.each([
    ['an unknown path', 'GET', '/no/such/path', 404, 'page not found'],
    ['an API version from the future', 'GET', '/v9.99/version', 400, 'client version 9.99 is too new'],
    ['an API version from the past', 'GET', '/v1.1/version', 400, 'client version 1.1 is too old'],
    ['an unknown container', 'GET', '/containers/nope/json', 404, 'No such container: nope'],
    ['an unknown image', 'GET', '/images/nope/json', 404, 'No such image: nope'],
    ['an unknown network', 'GET', '/networks/nope', 404, 'network nope not found'],
    ['an unknown volume', 'GET', '/volumes/nope', 404, 'get nope: no such volume'],
    ['an unknown exec', 'GET', '/exec/nope/json', 404, 'No such exec instance: nope'],
    ['a broken filter', 'GET', '/containers/json?filters=%7B', 400, ''],
    ['a bad signal', 'POST', '/containers/nope/kill?signal=NOPE', 404, 'No such container: nope'],
  ])('%s', async (_what, method, path, status, text) => {
    const answer = await call(method, path);
    expect([answer.status, answer.message || answer.text]).toEqual([status, expect.stringContaining(text)]);
  });

  test('a bad signal, a bad state, for a container that is there', async () => {
    const name = uniqueName('state');
    await create({}, name);
    expect((await call('POST', `/containers/${name}/kill`)).status).toBe(409);
    expect((await call('POST', `/containers/${name}/stop`)).status).toBe(304);
    expect((await call('POST', `/containers/${name}/pause`)).status).toBe(409);
    expect((await call('POST', `/containers/${name}/exec`, { body: { Cmd: ['true'] } })).status).toBe(409);
    expect((await call('POST', `/containers/${name}/resize?h=x&w=1`)).status).toBe(400);
    expect((await call('DELETE', `/containers/${name}`)).status).toBe(204);
  });

  test('broken archives are refused and leave no image', async () => {
    const images = async () => ((await call('GET', '/images/json?all=1')).json as object[]).length;
    const before = await images();
    const load = await call('POST', '/images/load', {
      raw: 'no tar at all'.repeat(100),
      contentType: 'application/x-tar',
    });
    expect(load.text).toMatch(/error/i);
    const imported = await call('POST', '/images/create?fromSrc=-', {
      raw: 'x'.repeat(2000),
      contentType: 'text/plain',
    });
    expect(imported.text).toMatch(/error|archive/i);
    expect(await images()).toBe(before);
  });
});
