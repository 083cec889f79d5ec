import { expect, test } from 'bun:test';
import { hasCode, isInvalidArgument } from '#base';
import type { ContainerState } from './model.ts';
import { exitCodeOf, NEVER, type StateEvent, startedAtOf, transition } from './state.ts';

const T1 = '2026-01-01T00:00:00.000Z';
const T2 = '2026-01-01T00:01:00.000Z';
const states = {
  created: { status: 'created' },
  running: { status: 'running', pid: 7, startedAt: T1 },
  paused: { status: 'paused', pid: 7, startedAt: T1 },
  restarting: { status: 'restarting', startedAt: T1, finishedAt: T2, exitCode: 3 },
  exited: { status: 'exited', startedAt: T1, finishedAt: T2, exitCode: 3, oomKilled: false },
  removing: { status: 'removing', previous: { status: 'created' } },
  dead: {
    status: 'dead',
    previous: { status: 'exited', startedAt: T1, finishedAt: T2, exitCode: 3, oomKilled: false },
    error: 'busy',
  },
} as const satisfies { [S in ContainerState['status']]: ContainerState };
const events = {
  started: { type: 'started', pid: 9, startedAt: T2 },
  'start-failed': { type: 'start-failed', at: T2, exitCode: 127, error: 'no such file' },
  paused: { type: 'paused' },
  unpaused: { type: 'unpaused' },
  exited: { type: 'exited', exitCode: 4, finishedAt: T2, oomKilled: true },
  'will-restart': { type: 'will-restart', exitCode: 4, finishedAt: T2 },
  'restart-canceled': { type: 'restart-canceled' },
  'out-of-memory': { type: 'out-of-memory' },
  'health-changed': { type: 'health-changed', health: { status: 'healthy', failingStreak: 0, log: [] } },
  'removal-started': { type: 'removal-started' },
  'removal-failed': { type: 'removal-failed', error: 'busy' },
} as const satisfies { [E in StateEvent['type']]: StateEvent };

/** State, event, next status: every other pair is refused. */
const allowed: [keyof typeof states, keyof typeof events, ContainerState['status']][] = [
  ['created', 'started', 'running'],
  ['created', 'start-failed', 'created'],
  ['created', 'removal-started', 'removing'],
  ['running', 'paused', 'paused'],
  ['running', 'exited', 'exited'],
  ['running', 'will-restart', 'restarting'],
  ['running', 'out-of-memory', 'running'],
  ['running', 'health-changed', 'running'],
  ['paused', 'unpaused', 'running'],
  ['paused', 'exited', 'exited'],
  ['paused', 'will-restart', 'restarting'],
  ['paused', 'out-of-memory', 'paused'],
  ['paused', 'health-changed', 'paused'],
  ['restarting', 'started', 'running'],
  ['restarting', 'start-failed', 'exited'],
  ['restarting', 'restart-canceled', 'exited'],
  ['restarting', 'removal-started', 'removing'],
  ['exited', 'started', 'running'],
  ['exited', 'start-failed', 'exited'],
  ['exited', 'will-restart', 'restarting'],
  ['exited', 'removal-started', 'removing'],
  ['removing', 'removal-failed', 'dead'],
  ['dead', 'removal-started', 'removing'],
];

for (const from of Object.keys(states) as (keyof typeof states)[]) {
  for (const event of Object.keys(events) as (keyof typeof events)[]) {
    const next = allowed.find(([state, type]) => state === from && type === event)?.[2];
    test(`transition: ${from} + ${event} → ${next ?? 'refused'}`, () => {
      const run = () => transition(states[from], events[event]);
      if (next) expect(run().status).toBe(next);
      else expect(run).toThrow(`a container that is ${from} cannot take the event ${event}`);
    });
  }
}

test('transition: a refused event is an internal error, not the user’s', () => {
  try {
    transition(states.running, events.started);
    expect.unreachable();
  } catch (error) {
    expect(hasCode(error, 'internal')).toBe(true);
    expect(isInvalidArgument(error)).toBe(false);
  }
});

test('transition: exit keeps the start time and takes code and OOM mark', () => {
  expect(transition(states.paused, events.exited)).toEqual({
    status: 'exited',
    startedAt: T1,
    finishedAt: T2,
    exitCode: 4,
    oomKilled: true,
  });
});

test('transition: a removal that failed and begins again remembers the last run only', () => {
  const again = transition(states.dead, { type: 'removal-started', removesVolumes: true });
  expect(again).toEqual({ status: 'removing', previous: states.exited, removesVolumes: true });
  expect(transition(again, events['removal-failed'])).toEqual({
    status: 'dead',
    previous: states.exited,
    removesVolumes: true,
    error: 'busy',
  });
});

test('exitCodeOf, startedAtOf: look through the removal', () => {
  const removing: ContainerState = { status: 'removing', previous: states.exited };
  expect(exitCodeOf(removing)).toBe(3);
  expect(startedAtOf(removing)).toBe(T1);
  expect(startedAtOf(states.created)).toBe(NEVER);
  expect([exitCodeOf(states.dead), startedAtOf(states.dead)]).toEqual([3, T1]);
});
