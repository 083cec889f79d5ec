import { type Health, type ContainerState as WireState, ZERO_TIME } from '#api';
import { formatHumanDuration } from '#base';
import type { ContainerState, HealthState } from '#containers';

/** The state in words, as `docker ps` shows it. Source: docker's daemon/container/state.go. */
export function statusText(state: ContainerState, nowMs: number): string {
  const since = (time: string): string => formatHumanDuration(nowMs - Date.parse(time));
  switch (state.status) {
    case 'created':
      return 'Created';
    case 'running':
      return `Up ${since(state.startedAt)}${healthSuffix(state.health)}`;
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case 'exited':
      return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
  }
}

function healthSuffix(health: HealthState | undefined): string {
  if (!health) return '';
  return health.status === 'starting' ? ' (health: starting)' : ` (${health.status})`;
}

export function fromState(state: ContainerState): WireState {
  const { status } = state;
  const facts = stateFacts(state);
  return {
    Status: status,
    Running: status === 'running' || status === 'paused' || status === 'restarting',
    Paused: status === 'paused',
    Restarting: status === 'restarting',
    OOMKilled: facts.oomKilled,
    Dead: status === 'dead',
    Pid: facts.pid,
    ExitCode: facts.exitCode,
    Error: facts.error,
    StartedAt: facts.startedAt,
    FinishedAt: facts.finishedAt,
    ...(facts.health ? { Health: fromHealth(facts.health) } : {}),
  };
}

const NO_FACTS = {
  pid: 0,
  exitCode: 0,
  error: '',
  startedAt: ZERO_TIME,
  finishedAt: ZERO_TIME,
  oomKilled: false,
  health: undefined as HealthState | undefined,
};

/** Every state has some of these; the rest is zero. */
function stateFacts(state: ContainerState): typeof NO_FACTS {
  if (state.status === 'removing') return stateFacts(state.previous);
  if (state.status === 'dead') return { ...stateFacts(state.previous), error: state.error };
  const { status: _, ...facts } = state;
  return { ...NO_FACTS, ...facts };
}

function fromHealth(health: HealthState): Health {
  return {
    Status: health.status,
    FailingStreak: health.failingStreak,
    Log: health.log.map(({ start, end, exitCode, output }) => ({
      Start: start,
      End: end,
      ExitCode: exitCode,
      Output: output,
    })),
  };
}

/** `none` for a container without health checks. */
export function healthSummary(state: ContainerState): { Status: Health['Status']; FailingStreak: number } {
  const { health } = stateFacts(state);
  return { Status: health?.status ?? 'none', FailingStreak: health?.failingStreak ?? 0 };
}
