import { describe, expect, test } from 'bun:test';
import type { CreateRequest } from '#containers';
import { createFakeBackends, sampleContainer, serveFakes } from '../testing/index.ts';

const MAC = '02:42:ac:11:00:09';
const WARNING =
  'The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.';

/** What a create of one version comes to: the answer, and the request that reached the engine. */
async function create(minor: number, body: object) {
  const requests: CreateRequest[] = [];
  const backends = createFakeBackends({
    containers: {
      create: async (request) => {
        requests.push(request);
        return { id: sampleContainer('new').id, warnings: ['own'] };
      },
    },
  });
  await using server = await serveFakes(backends);
  const response = await fetch(`http://engine/v1.${minor}/containers/create`, {
    method: 'POST',
    unix: server.path,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ Image: 'busybox', ...body }),
  });
  const { Warnings, message } = (await response.json()) as { Warnings?: string[]; message?: string };
  return { status: response.status, warnings: Warnings, message, request: requests[0] };
}

const macs = (request: CreateRequest | undefined) =>
  Object.fromEntries(
    Object.entries(request?.endpoints ?? {}).map(([name, { macAddress }]) => [name, macAddress]),
  );
const endpoint = (name: string, settings: object) => ({
  NetworkingConfig: { EndpointsConfig: { [name]: settings } },
});

describe('the hardware address of a container', () => {
  test.each([
    [43, {}, { bridge: MAC }, ['own']],
    [44, {}, { bridge: MAC }, ['own', WARNING]],
    [51, { HostConfig: { NetworkMode: 'default' } }, { bridge: MAC }, ['own', WARNING]],
    [
      44,
      { HostConfig: { NetworkMode: 'own' }, ...endpoint('own', { Aliases: ['x'] }) },
      { own: MAC },
      ['own', WARNING],
    ],
    [43, endpoint('other', {}), { other: MAC }, ['own']],
    [44, { HostConfig: { NetworkMode: 'host' } }, {}, ['own', WARNING]],
  ])('1.%d with %j is that of its endpoint', async (minor, body, expected, warnings) => {
    const answer = await create(minor, { MacAddress: MAC, ...body });
    expect(answer).toMatchObject({ status: 201, warnings });
    expect(macs(answer.request)).toEqual(expected);
  });

  test.each([
    [43, { HostConfig: { NetworkMode: 'host' } }, 'conflicting options: mac-address and the network mode'],
    [44, endpoint('other', {}), 'HostConfig.NetworkMode must match the identity of a network'],
    [
      44,
      endpoint('bridge', { MacAddress: '02:42:ac:11:00:01' }),
      'must match the endpoint-specific MAC address',
    ],
    [52, {}, 'container-wide MAC address no longer supported'],
  ])('1.%d refuses %j', async (minor, body, text) => {
    const answer = await create(minor, { MacAddress: MAC, ...body });
    expect(answer).toMatchObject({ status: 400, message: expect.stringContaining(text) });
  });

  test('an endpoint has none of its own before 1.44', async () => {
    const body = endpoint('bridge', { MacAddress: MAC });
    expect(macs((await create(43, body)).request)).toEqual({ bridge: undefined });
    expect(macs((await create(44, body)).request)).toEqual({ bridge: MAC });
  });
});

describe('warnings', () => {
  const volume = { HostConfig: { VolumeDriver: 'x', Mounts: [{ Type: 'volume', Target: '/v' }] } };
  const ports = {
    HostConfig: { PortBindings: { '80/tcp': [], '81/udp': null, '82/tcp': [{ HostPort: '1' }] } },
  };

  test.each([
    [47, volume, []],
    [48, volume, ['WARNING: the container-wide volume-driver configuration is ignored']],
    [51, ports, []],
    [52, ports, ['Following container port(s) have an empty list of port-bindings: 80/tcp, 81/udp.']],
  ])('of 1.%d for %j', async (minor, body, beginnings) => {
    const { warnings = [] } = await create(minor, body);
    expect(warnings.slice(1)).toEqual(beginnings.map((text) => expect.stringContaining(text)));
  });
});

test.each([
  [39, 201],
  [40, 400],
  [41, 201],
  [56, 201],
])('Capabilities at 1.%d: %d', async (minor, status) => {
  const answer = await create(minor, { HostConfig: { Capabilities: ['CAP_CHOWN'] } });
  expect(answer.status).toBe(status);
  if (status === 400) {
    expect(answer.message).toBe(
      'the HostConfig.Capabilities field is not supported by this daemon; use CapAdd and CapDrop to set capabilities',
    );
    expect((await create(minor, { HostConfig: { Capabilities: [] } })).status).toBe(201);
  }
});
