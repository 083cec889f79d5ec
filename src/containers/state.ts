import { internal } from '#base';
import type { ContainerState, HealthState, RestingState } from './model.ts';

/** What can happen to a container. Times are ISO texts. */
export type StateEvent =
  | { readonly type: 'started'; readonly pid: number; readonly startedAt: string }
  | {
      readonly type: 'start-failed';
      readonly at: string;
      readonly exitCode: number;
      readonly error: string;
    }
  | { readonly type: 'paused' }
  | { readonly type: 'unpaused' }
  | {
      readonly type: 'exited';
      readonly exitCode: number;
      readonly finishedAt: string;
      readonly oomKilled: boolean;
      readonly error?: string;
    }
  | {
      readonly type: 'will-restart';
      readonly exitCode: number;
      readonly finishedAt: string;
      readonly error?: string;
    }
  | { readonly type: 'restart-canceled' }
  | { readonly type: 'out-of-memory' }
  | { readonly type: 'health-changed'; readonly health: HealthState }
  | { readonly type: 'removal-started'; readonly removesVolumes?: boolean }
  | { readonly type: 'removal-failed'; readonly error: string };

type Step<E extends StateEvent['type']> = (
  state: ContainerState,
  event: Extract<StateEvent, { type: E }>,
) => ContainerState | undefined;

/** Docker's zero time, for a container that never started or never ended. */
export const NEVER = '0001-01-01T00:00:00Z';

const steps: { readonly [E in StateEvent['type']]: Step<E> } = {
  started: (state, { pid, startedAt }) =>
    isStartable(state) ? { status: 'running', pid, startedAt } : undefined,
  'start-failed': (state, { at, exitCode, error }) => {
    if (state.status === 'created') return { status: 'created', exitCode, error };
    if (state.status !== 'exited' && state.status !== 'restarting') return undefined;
    const { startedAt } = state;
    return { status: 'exited', startedAt, finishedAt: at, exitCode, error, oomKilled: false };
  },
  paused: (state) => (state.status === 'running' ? { ...state, status: 'paused' } : undefined),
  unpaused: (state) => (state.status === 'paused' ? { ...state, status: 'running' } : undefined),
  exited: (state, { type: _, ...exit }) =>
    isAlive(state)
      ? { status: 'exited', startedAt: state.startedAt, ...exit, ...lastHealth(state) }
      : undefined,
  'will-restart': (state, { type: _, ...exit }) =>
    isAlive(state) || state.status === 'exited'
      ? { status: 'restarting', startedAt: state.startedAt, ...exit, ...lastHealth(state) }
      : undefined,
  'restart-canceled': (state) =>
    state.status === 'restarting' ? { ...state, status: 'exited', oomKilled: false } : undefined,
  'out-of-memory': (state) => (isAlive(state) ? { ...state, oomKilled: true } : undefined),
  'health-changed': (state, { health }) => (isAlive(state) ? { ...state, health } : undefined),
  'removal-started': (state, { removesVolumes }) => {
    if (isAlive(state) || state.status === 'removing') return undefined;
    const previous = state.status === 'dead' ? state.previous : state;
    return { status: 'removing', previous, ...(removesVolumes ? { removesVolumes } : {}) };
  },
  'removal-failed': (state, { error }) =>
    state.status === 'removing' ? { ...state, status: 'dead', error } : undefined,
};

/** What does not run is not healthy; its last results stay. Source: moby `container/health.go`. */
function lastHealth({ health }: { readonly health?: HealthState }): { health?: HealthState } {
  return health ? { health: { ...health, status: 'unhealthy' } } : {};
}

/**
 * The only place where a container's state changes.
 * @throws `internal` for an event that cannot happen in `state`: a bug of the caller, never a user's mistake.
 */
export function transition(state: ContainerState, event: StateEvent): ContainerState {
  const next = (steps[event.type] as Step<StateEvent['type']>)(state, event as never);
  if (!next) throw internal(`a container that is ${state.status} cannot take the event ${event.type}`);
  return next;
}

/** Whether a process exists: running or paused. */
export const isAlive = (
  state: ContainerState,
): state is Extract<ContainerState, { status: 'running' | 'paused' }> =>
  state.status === 'running' || state.status === 'paused';

/** Whether all that is left to it is to be removed. */
export const isDoomed = (
  state: ContainerState,
): state is Extract<ContainerState, { status: 'removing' | 'dead' }> =>
  state.status === 'removing' || state.status === 'dead';

/** Whether `start` may begin from here. */
export const isStartable = (state: ContainerState): state is RestingState =>
  state.status === 'created' || state.status === 'exited' || state.status === 'restarting';

/** The code a `wait` answers with when the container does not run. */
export function exitCodeOf(state: ContainerState): number {
  switch (state.status) {
    case 'created':
      return state.exitCode ?? 0;
    case 'running':
    case 'paused':
      return 0;
    case 'removing':
    case 'dead':
      return exitCodeOf(state.previous);
    default:
      return state.exitCode;
  }
}

/** When it was last started, or {@link NEVER}. */
export function startedAtOf(state: ContainerState): string {
  if (state.status === 'created') return NEVER;
  return isDoomed(state) ? startedAtOf(state.previous) : state.startedAt;
}

/** When it last ended, or {@link NEVER}. */
export function finishedAtOf(state: ContainerState): string {
  if (state.status === 'exited' || state.status === 'restarting') return state.finishedAt;
  return isDoomed(state) ? finishedAtOf(state.previous) : NEVER;
}
