import { describe, expect, test } from 'bun:test';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EngineEvent } from '#base';
import type { ContainerView, CreateRequest } from '#containers';
import { createDispatcher } from '../http/dispatch.ts';
import type { Reply } from '../http/reply.ts';
import type { ApiRequest } from '../http/request.ts';
import { createRoutes } from '../router/index.ts';
import { createFakeBackends, fullContainer, sampleContainer } from '../testing/index.ts';
import { CHANGES } from './index.ts';

const FOLDER = join(import.meta.dir, 'testdata');
/** Oldest, docker 20.10's, two in between, newest. Rewrite the files with `GOLDEN=update bun test`. */
const VERSIONS = [24, 41, 44, 50, 56];
/** One with something in every field, and one that was only created, with next to nothing. */
const VIEW = fullContainer('one');
const CREATED: ContainerView = {
  ...sampleContainer('two', {}, { state: { status: 'created' } }),
  sandbox: undefined,
};

const event = (
  type: EngineEvent['type'],
  action: string,
  attributes: EngineEvent['attributes'],
): EngineEvent => ({
  type,
  action,
  actorId: 'a7'.repeat(32),
  attributes,
  timeNs: 1_234_567_891_234_567_891n,
});
const EVENTS = [
  event('image', 'create', { name: 'a:b' }),
  event('image', 'tag', { name: 'a:b' }),
  event('container', 'die', { name: 'one', image: 'a:b', exitCode: '3' }),
  event('network', 'connect', { type: 'bridge', name: 'bridge', container: 'c' }),
];

const CREATE_BODY = {
  Image: 'busybox',
  Healthcheck: { Test: ['CMD', 'true'], StartInterval: 5 },
  HostConfig: {
    ConsoleSize: [24, 80],
    Annotations: { a: 'b' },
    Mounts: [{ Type: 'bind', Source: '/a', Target: '/b', VolumeOptions: { NoCopy: true } }],
  },
};

function request(method: string, path: string, body?: unknown): ApiRequest {
  const text = body === undefined ? '' : JSON.stringify(body);
  const [bare = '', search = ''] = path.split('?');
  return {
    method,
    path: bare,
    search,
    headers: { 'content-type': 'application/json', 'content-length': String(text.length) },
    body: (async function* () {
      yield Buffer.from(text);
    })(),
    signal: new AbortController().signal,
  };
}

function golden(name: string, value: unknown): void {
  const file = join(FOLDER, `${name}.json`);
  const text = `${JSON.stringify(value, null, 2)}\n`;
  if (process.env['GOLDEN'] === 'update') {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(file, text);
  }
  expect(existsSync(file), `${file} is missing: run with GOLDEN=update`).toBe(true);
  expect(text).toBe(readFileSync(file, 'utf8'));
}

async function eventsOf(reply: Reply): Promise<string> {
  if (reply.kind !== 'stream') throw new Error('not a stream');
  const lines: (string | Uint8Array)[] = [reply.headers['Content-Type'] ?? ''];
  await reply.run({ signal: new AbortController().signal, write: (line) => void lines.push(line) });
  return lines.join('\n');
}

describe.each(VERSIONS)('API 1.%d', (minor) => {
  const backends = createFakeBackends({ views: [VIEW, CREATED] });
  const dispatch = (method: string, path: string, body?: unknown) =>
    createDispatcher(createRoutes(backends), CHANGES).dispatch(request(method, `/v1.${minor}${path}`, body));

  test.each([
    ['list', '/containers/json?all=1&size=1'],
    ['inspect', '/containers/one/json?size=1'],
    ['inspect-created', '/containers/two/json'],
    ['images', '/images/json'],
    ['image', '/images/busybox/json'],
    ['info', '/info'],
    ['version', '/version'],
    ['df', '/system/df'],
    ['df-verbose', '/system/df?verbose=1'],
    ['network', '/networks/bridge'],
    ['stats', '/containers/one/stats?stream=0'],
    ['stats-one-shot', '/containers/one/stats?stream=0&one-shot=1'],
  ])('%s', async (name, path) => {
    const reply = await dispatch('GET', path);
    if (reply.kind !== 'json') throw new Error('not JSON');
    // As on the wire: numbers that no JavaScript number holds are written digit by digit.
    golden(`${name}-1.${minor}`, reply.value);
  });

  test('create: what reaches the engine', async () => {
    const requests: CreateRequest[] = [];
    const own = createFakeBackends({
      containers: {
        create: async (given) => {
          requests.push(given);
          return { id: VIEW.id, warnings: [] };
        },
      },
    });
    const path = `/v1.${minor}/containers/create?name=/x&platform=linux/arm64`;
    const reply = await createDispatcher(createRoutes(own), CHANGES).dispatch(
      request('POST', path, CREATE_BODY),
    );
    expect(reply).toMatchObject({ kind: 'json', status: 201, value: { Warnings: [] } });
    golden(`create-1.${minor}`, requests[0]);
  });

  test('events', async () => {
    const own = createFakeBackends({
      system: {
        events: { history: () => EVENTS, subscribe: () => ({ [Symbol.dispose]: () => {} }) } as never,
      },
    });
    const path = `/v1.${minor}/events?since=1&until=3`;
    const dispatcher = createDispatcher(createRoutes(own), CHANGES);
    golden(
      `events-1.${minor}`,
      (await eventsOf(await dispatcher.dispatch(request('GET', path)))).split('\n'),
    );
  });
});

describe('changes', () => {
  const create = (minor: number, body: object) =>
    createDispatcher(createRoutes(createFakeBackends()), CHANGES).dispatch(
      request('POST', `/v1.${minor}/containers/create`, { Image: 'busybox', ...body }),
    );
  const mount = (fields: object) => ({ HostConfig: { Mounts: [fields] } });

  test.each([
    [
      43,
      mount({ Type: 'bind', BindOptions: { ReadOnlyForceRecursive: true } }),
      'ReadOnlyForceRecursive needs API v1.44',
    ],
    [
      44,
      mount({ Type: 'volume', VolumeOptions: { Subpath: 'a' } }),
      'VolumeOptions.Subpath needs API v1.45 or newer',
    ],
    [47, mount({ Type: 'image' }), 'Mount type "Image" needs API v1.48 or newer'],
    [43, { NetworkingConfig: { EndpointsConfig: { a: {}, b: {} } } }, 'multiple network endpoints: a, b'],
  ])('create in 1.%d refuses %j', async (minor, body, text) => {
    await expect(create(minor, body)).rejects.toThrow(text);
    await expect(create(minor + 8, body)).resolves.toMatchObject({ status: 201 });
  });

  test('every change belongs to a route', () => {
    const names = createRoutes(createFakeBackends()).map(({ name }) => name);
    expect(Object.keys(CHANGES).filter((name) => !names.includes(name))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });

  test('`signal` reaches stop from 1.42 on', async () => {
    const given: unknown[] = [];
    const backends = createFakeBackends({
      containers: { stop: async (_, options) => void given.push(options) },
    });
    const dispatcher = createDispatcher(createRoutes(backends), CHANGES);
    for (const minor of [41, 42]) {
      await dispatcher.dispatch(request('POST', `/v1.${minor}/containers/one/stop?signal=INT&t=-1`));
    }
    expect(given).toEqual([{ timeoutS: -1 }, { timeoutS: -1, signal: 'INT' }]);
  });
});
