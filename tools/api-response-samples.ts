import { formatApiVersion } from '#api';
import { createFakeBackends, fullContainer, serveFakes } from '#server/testing';

/** One request for each answer that has fields. The container is called `one`. */
const REQUESTS: Readonly<Record<string, readonly [method: string, path: string, body?: object]>> = {
  ContainerList: ['GET', '/containers/json?all=1&size=1'],
  ContainerInspect: ['GET', '/containers/one/json?size=1'],
  ContainerStats: ['GET', '/containers/one/stats?stream=0'],
  ContainerTop: ['GET', '/containers/one/top'],
  ContainerChanges: ['GET', '/containers/one/changes'],
  ContainerCreate: ['POST', '/containers/create', { Image: 'busybox' }],
  ContainerUpdate: ['POST', '/containers/one/update', { Memory: 67_108_864 }],
  ContainerWait: ['POST', '/containers/one/wait'],
  ContainerPrune: ['POST', '/containers/prune'],
  ExecInspect: ['GET', `/exec/${'e5'.repeat(32)}/json`],
  ContainerExec: ['POST', '/containers/one/exec', { Cmd: ['true'] }],
  SystemInfo: ['GET', '/info'],
  SystemVersion: ['GET', '/version'],
  SystemEvents: ['GET', '/events?since=1&until=2'],
  SystemDataUsage: ['GET', '/system/df'],
  SystemAuth: ['POST', '/auth', { username: 'a', password: 'b' }],
  ImageCommit: ['POST', '/commit?container=one'],
};

/** What the real server answers, over a socket, from an engine that has something in every field. By operation. */
export async function sampleResponses(version: number): Promise<Map<string, unknown>> {
  const backends = createFakeBackends({
    views: [fullContainer('one')],
    containers: {
      sizes: async () => ({ rwBytes: 1, rootFsBytes: 2 }),
      wait: () => ({ exit: Promise.resolve({ exitCode: 3, error: 'why' }) }),
    },
    system: {
      authenticate: async () => 'token',
      events: {
        subscribe: () => ({ [Symbol.dispose]: () => {} }),
        history: () => [
          {
            type: 'container',
            action: 'start',
            actorId: 'c',
            attributes: { image: 'i' },
            timeNs: 1_500_000_000n,
          },
        ],
      } as never,
    },
    volumes: {
      // Disk usage leaves out those with options.
      list: () => [volumeOf({ o: 'x' }), volumeOf({})],
      usage: async () => 1,
    },
  });
  await using server = await serveFakes(backends);
  const answers = new Map<string, unknown>();
  for (const [operation, [method, path, body]] of Object.entries(REQUESTS)) {
    const response = await fetch(`http://engine/v${formatApiVersion(version)}${path}`, {
      method,
      unix: server.path,
      ...(body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
    });
    if (response.ok) answers.set(operation, await response.json());
  }
  return answers;
}

const volumeOf = (options: Record<string, string>) =>
  ({
    name: 'data',
    driver: 'local',
    created: '2026-01-01T00:00:00Z',
    mountpoint: '/data',
    labels: { a: 'b' },
    options,
  }) as never;
