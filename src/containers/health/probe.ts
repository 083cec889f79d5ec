import { type Clock, errorMessage, formatDurationNs, sleep } from '#base';
import type { HealthCheck } from './check.ts';
import type { ProbeResult } from './health-state.ts';
import { limitOutput } from './output.ts';

export interface ProbeOutcome {
  readonly exitCode: number;
  /** Standard output and error in order, at least the first 4097 bytes of it. */
  readonly output: string | Uint8Array;
}

/**
 * Runs the check's command once in the container, as its user, with its environment and directory. Calls
 * `onStarted` as soon as the process runs: the timeout counts from there. When `signal` aborts it kills the process,
 * waits for its end and resolves with what it wrote until then. Rejects when the command cannot be run.
 */
export type Probe = (signal: AbortSignal, onStarted: () => void) => Promise<ProbeOutcome>;

export interface ProbeRun {
  /** Settles when the command runs, or never will. */
  readonly started: Promise<void>;
  /** What came of it; undefined as soon as `signal` aborts. Never later than the limits and the grace period. */
  readonly result: Promise<ProbeResult | undefined>;
  /** Settles when the process is gone, which may be long after a timeout. */
  readonly ended: Promise<void>;
}

export interface ProbeRunOptions {
  readonly containerId: string;
  readonly clock: Clock;
  /** Aborted when the container is paused or ends. */
  readonly signal: AbortSignal;
}

/** Starting the command may take this long; on a machine under load it is not the check's fault. */
const START_LIMIT_MS = 30_000;
/** How long a killed probe may take to be gone before its result is noted all the same. */
const KILL_GRACE_MS = 10_000;
const NS_PER_MS = 1e6;

/** Runs one probe with its limits. */
export function runProbe(
  probe: Probe,
  check: Pick<HealthCheck, 'timeoutMs'>,
  options: ProbeRunOptions,
): ProbeRun {
  const kill = new AbortController();
  const limit = new Limit(options.clock, options.signal);
  limit.set(START_LIMIT_MS, 'start');
  const started = Promise.withResolvers<void>();
  const outcome = startProbe(probe, kill.signal, () => {
    limit.set(check.timeoutMs, 'timeout');
    started.resolve();
  });
  const ended = outcome.then(
    () => undefined,
    () => undefined,
  );
  void Promise.race([ended, limit.reached]).then(() => started.resolve());
  return {
    started: started.promise,
    result: awaitResult({ outcome, ended, limit, kill }, check, options),
    ended,
  };
}

interface RunningProbe {
  readonly outcome: Promise<ProbeOutcome>;
  readonly ended: Promise<undefined>;
  readonly limit: Limit;
  readonly kill: AbortController;
}

async function awaitResult(
  { outcome, ended, limit, kill }: RunningProbe,
  check: Pick<HealthCheck, 'timeoutMs'>,
  { clock, signal, containerId }: ProbeRunOptions,
): Promise<ProbeResult | undefined> {
  const startMs = clock.now();
  const reached = await Promise.race([ended, limit.reached]);
  limit.cancel();
  if (reached === undefined) {
    const endMs = clock.now();
    const finding = await outcome.then(finished, failed);
    return signal.aborted ? undefined : { startMs, endMs, ...finding };
  }
  kill.abort();
  if (reached === 'canceled') return undefined;
  const written = await writtenUntilDeath(outcome, clock);
  if (signal.aborted) return undefined;
  const output =
    reached === 'start'
      ? `timed out starting health check for container ${containerId}`
      : timeoutText(check.timeoutMs, written);
  return { startMs, endMs: clock.now(), exitCode: -1, output };
}

/** What ends a probe from outside. */
type Reached = 'start' | 'timeout' | 'canceled';

/** A time limit that is replaced by the next one, or the signal, whichever comes first. */
class Limit {
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #reached = Promise.withResolvers<Reached>();
  readonly #onAbort = () => this.#reached.resolve('canceled');
  #cancel: () => void = () => {};
  #isOver = false;

  constructor(clock: Clock, signal: AbortSignal) {
    this.#clock = clock;
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
    if (signal.aborted) this.#onAbort();
  }

  get reached(): Promise<Reached> {
    return this.#reached.promise;
  }

  set(ms: number, what: Reached): void {
    this.#cancel();
    if (!this.#isOver) this.#cancel = this.#clock.schedule(ms, () => this.#reached.resolve(what));
  }

  cancel(): void {
    this.#isOver = true;
    this.#cancel();
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}

/** A probe that throws at once is like one that rejects. */
async function startProbe(probe: Probe, signal: AbortSignal, onStarted: () => void): Promise<ProbeOutcome> {
  return await probe(signal, onStarted);
}

interface Finding {
  readonly exitCode: number;
  readonly output: string;
}

const finished = ({ exitCode, output }: ProbeOutcome): Finding => ({ exitCode, output: limitOutput(output) });

const failed = (error: unknown): Finding => ({ exitCode: -1, output: limitOutput(errorMessage(error)) });

/** The output of a probe that has been killed; empty when it does not die in time. */
async function writtenUntilDeath(outcome: Promise<ProbeOutcome>, clock: Clock): Promise<string> {
  const enough = new AbortController();
  const written = outcome.then(
    ({ output }) => limitOutput(output),
    () => '',
  );
  const grace = sleep(clock, KILL_GRACE_MS, enough.signal).then(() => '');
  try {
    return await Promise.race([written, grace]);
  } finally {
    enough.abort();
  }
}

/** Docker's text, with what the probe wrote. Source: moby `daemon/health.go`. */
function timeoutText(timeoutMs: number, written: string): string {
  const text = `Health check exceeded timeout (${formatDurationNs(timeoutMs * NS_PER_MS)})`;
  return written === '' ? text : `${text}: ${written}`;
}
