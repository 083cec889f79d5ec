import { expect, test } from 'bun:test';
import type { ContainerView } from '#containers';
import { sampleContainer } from '../testing/samples.ts';
import { type ContainerSurroundings, summarizeContainer } from './container.ts';

const STARTED = Date.parse('2026-01-02T03:04:06.000Z');
const around = (changes: Partial<ContainerSurroundings> = {}): ContainerSurroundings => ({
  networkIdOf: () => 'n1',
  imageName: () => 'busybox',
  nowMs: STARTED + 10 * 60_000,
  ...changes,
});

test('`summarizeContainer`: the same object as long as it reads the same', () => {
  const view = sampleContainer('same', { Labels: { a: '1' } });
  const first = summarizeContainer(view, around());
  expect(summarizeContainer({ ...view }, around({ nowMs: STARTED + 10 * 60_000 + 500 }))).toBe(first);
});

const container = sampleContainer('changing');
const stopped: ContainerView = { ...container, sandbox: undefined, state: { status: 'created' } };

test.each<[string, ContainerView, Partial<ContainerSurroundings>, object]>([
  ['time', container, { nowMs: STARTED + 11 * 60_000 }, { Status: 'Up 11 minutes' }],
  ['state', { ...container, state: { status: 'created' } }, {}, { State: 'created', Status: 'Created' }],
  ['name', { ...container, names: ['other', 'web/link'] }, {}, { Names: ['/other', '/web/link'] }],
  ['image', container, { imageName: () => 'sha256:1' }, { Image: 'sha256:1' }],
  ['sandbox', stopped, {}, { Ports: [], NetworkSettings: { Networks: { bridge: { NetworkID: 'n1' } } } }],
  [
    'health',
    {
      ...container,
      state: {
        status: 'running',
        pid: 4711,
        startedAt: '2026-01-02T03:04:06.000Z',
        health: { status: 'healthy', failingStreak: 0, log: [] },
      },
    },
    {},
    { Status: 'Up 10 minutes (healthy)', Health: { Status: 'healthy' } },
  ],
])('`summarizeContainer`: another %s reads differently', (_what, view, changes, expected) => {
  const before = summarizeContainer(container, around());
  expect(summarizeContainer(view, around(changes))).toMatchObject(expected);
  expect(summarizeContainer(container, around())).toEqual(before);
});

test('`summarizeContainer`: a network that was made anew is seen in a container that does not run', () => {
  const idAfter = (id: string | undefined) =>
    summarizeContainer(stopped, around({ networkIdOf: () => id })).NetworkSettings.Networks['bridge']
      ?.NetworkID;
  expect([idAfter('n1'), idAfter('n2'), idAfter(undefined), idAfter('n2')]).toEqual(['n1', 'n2', '', 'n2']);
});

test('`summarizeContainer`: sizes are asked for each time', () => {
  const sized = (rwBytes: number) => summarizeContainer(container, around(), { rwBytes, rootFsBytes: 9 });
  expect([sized(1).SizeRw, sized(2).SizeRw]).toEqual([1, 2]);
  expect(summarizeContainer(container, around())).not.toHaveProperty('SizeRw');
});
