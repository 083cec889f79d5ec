import { expect, test } from 'bun:test';
import type { ContainerStatsResponse, ContainerSummary, EventMessage } from '#api';
import { notFound } from '#base';
import { runForTest } from '../testing/index.ts';

const figures = (id: string, pids: number) =>
  ({ id, name: `/name-${id}`, pids_stats: { current: pids } }) as unknown as ContainerStatsResponse;

const summary = (Id: string) => ({ Id }) as unknown as ContainerSummary;

async function* values<T>(items: readonly T[], until?: Promise<void>): AsyncIterableIterator<T> {
  yield* items;
  await until;
}

test('stats --no-stream: one sample of each container named', async () => {
  const stats = async (id: string) => values([figures(id, 3)]);
  const run = await runForTest(
    ['stats', '--no-stream', '--format', '{{.Container}} {{.Name}} {{.PIDs}}', 'a', 'b'],
    {
      calls: { containers: { stats } },
    },
  );
  expect(run).toEqual({ exitCode: 0, stdout: 'a name-a 3\nb name-b 3\n', stderr: '' });
});

test.each([['--no-stream'], ['--no-trunc']])(
  'stats %s: a container that is not there is an error',
  async (flag) => {
    const stats = () => Promise.reject(notFound('Error response from daemon: No such container: a'));
    const run = await runForTest(['stats', flag, 'a'], { calls: { containers: { stats } } });
    expect([run.exitCode, run.stderr]).toEqual([1, 'Error response from daemon: No such container: a\n']);
  },
);

test('stats: containers that start appear, those that end go; the end of the events ends it', async () => {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const event = (Action: string, ID: string) =>
    ({ Type: 'container', Action, Actor: { ID, Attributes: {} } }) as EventMessage;
  let answers = 0;
  const stats = async (id: string) => {
    answers += 1;
    if (answers === 2) setTimeout(end, 600);
    return values([figures(id, 1)], ended);
  };
  const run = await runForTest(['stats', '--format', '{{.Name}}'], {
    calls: {
      containers: { stats, list: async () => [summary('old')] },
      system: { events: async () => values([event('start', 'new'), event('die', 'old')], ended) },
    },
  });
  expect(run.exitCode).toBe(0);
  expect(run.stdout.trimEnd().split('\n').at(-1)).toBe('name-new');
});
