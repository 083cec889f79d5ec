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
  /** What came of it; undefined when `signal` aborted. Never later than the limits and the grace period. */
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
  const { clock, signal } = options;
  const startMs = clock.now();
  const abort = new AbortController();
  const limit = new Limit(clock);
  limit.set(START_LIMIT_MS, 'start');
  const cancel = (): void => abort.abort();
  signal.addEventListener('abort', cancel);
  if (signal.aborted) cancel();
  const outcome = startProbe(probe, abort.signal, () => limit.set(check.timeoutMs, 'timeout'));
  const ended = outcome.then(
    () => undefined,
    () => undefined,
  );
  const race = async (): Promise<ProbeResult | undefined> => {
    try {
      const expired = await Promise.race([ended, limit.expired]);
      const endMs = clock.now();
      const output = expired
        ? await expiredOutput(expired, outcome, abort, { check, options })
        : await outcome.then(finished, failed);
      if (signal.aborted) return undefined;
      // Killing takes its time: a probe that was too slow has ended when it is gone.
      return { startMs, endMs: expired ? clock.now() : endMs, ...output };
    } finally {
      limit.cancel();
      signal.removeEventListener('abort', cancel);
    }
  };
  return { result: race(), ended };
}

/** A limit that is replaced by the next one. */
class Limit {
  readonly #clock: Clock;
  readonly #expired = Promise.withResolvers<'start' | 'timeout'>();
  #cancel: () => void = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get expired(): Promise<'start' | 'timeout'> {
    return this.#expired.promise;
  }

  set(ms: number, what: 'start' | 'timeout'): void {
    this.#cancel();
    this.#cancel = this.#clock.schedule(ms, () => this.#expired.resolve(what));
  }

  cancel(): void {
    this.#cancel();
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

async function expiredOutput(
  expired: 'start' | 'timeout',
  outcome: Promise<ProbeOutcome>,
  abort: AbortController,
  { check, options }: { check: Pick<HealthCheck, 'timeoutMs'>; options: ProbeRunOptions },
): Promise<Finding> {
  abort.abort();
  const enough = new AbortController();
  const written = await Promise.race([
    outcome.then(
      ({ output }) => limitOutput(output),
      () => '',
    ),
    sleep(options.clock, KILL_GRACE_MS, enough.signal).then(() => ''),
  ]);
  enough.abort();
  if (expired === 'start') {
    return { exitCode: -1, output: `timed out starting health check for container ${options.containerId}` };
  }
  const text = `Health check exceeded timeout (${formatDurationNs(check.timeoutMs * NS_PER_MS)})`;
  return { exitCode: -1, output: written === '' ? text : `${text}: ${written}` };
}
