import { describe, expect, test } from 'bun:test';
import type { ContainerState } from '#containers';
import { fromState, statusText } from './status.ts';

const NOW = Date.parse('2026-01-01T02:00:00Z');
const ago = (ms: number): string => new Date(NOW - ms).toISOString();
const running = (ms: number): ContainerState => ({ status: 'running', pid: 1, startedAt: ago(ms) });
const health = (status: 'starting' | 'healthy' | 'unhealthy') => ({ status, failingStreak: 0, log: [] });

describe('statusText', () => {
  test.each<[ContainerState, string]>([
    [{ status: 'created' }, 'Created'],
    [running(500), 'Up Less than a second'],
    [running(5 * 60_000), 'Up 5 minutes'],
    [
      { ...running(3 * 3_600_000), health: health('starting') } as ContainerState,
      'Up 3 hours (health: starting)',
    ],
    [{ ...running(3 * 3_600_000), health: health('healthy') } as ContainerState, 'Up 3 hours (healthy)'],
    [{ status: 'paused', pid: 1, startedAt: ago(2 * 3_600_000) }, 'Up 2 hours (Paused)'],
    [
      { status: 'exited', startedAt: ago(9000), finishedAt: ago(3000), exitCode: 137, oomKilled: false },
      'Exited (137) 3 seconds ago',
    ],
    [
      { status: 'restarting', startedAt: ago(9000), finishedAt: ago(3000), exitCode: 1 },
      'Restarting (1) 3 seconds ago',
    ],
    [{ status: 'removing', previous: { status: 'created' } }, 'Removal In Progress'],
    [{ status: 'dead', previous: { status: 'created' }, error: 'x' }, 'Dead'],
  ])('%j', (state, text) => {
    expect(statusText(state, NOW)).toBe(text);
  });
});

test('fromState: a restarting container counts as running, times not known are zero', () => {
  const state = fromState({ status: 'restarting', startedAt: 'a', finishedAt: 'b', exitCode: 1, error: 'e' });
  expect(state).toMatchObject({ Running: true, Restarting: true, ExitCode: 1, Error: 'e', Pid: 0 });
  expect(fromState({ status: 'created' }).StartedAt).toBe('0001-01-01T00:00:00Z');
});
