import { type Clock, errorMessage, type Logger, sleep } from '#base';

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 30_000;

export interface ResumptionOptions {
  /** Sets up again what a Worker that ended had. */
  readonly attempt: () => Promise<void>;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Makes attempts, with pauses that double from 100 ms to half a minute, until one succeeds or the service stops. */
export class Resumption {
  readonly #attempt: () => Promise<void>;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #stopping = new AbortController();
  #isDue = false;
  #series: Promise<void> | undefined;

  constructor({ attempt, logger, clock }: ResumptionOptions) {
    this.#attempt = attempt;
    this.#logger = logger;
    this.#clock = clock;
  }

  /** Makes the first attempt now. During a series there is one more. */
  begin(): void {
    this.#isDue = true;
    this.#series ??= this.#run();
  }

  /** Ends the series after the attempt that is under way. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#series;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let failures = 0;
    while (this.#isDue && !signal.aborted) {
      this.#isDue = false;
      const failure = await this.#failureOfAttempt();
      if (failure === undefined) {
        if (failures > 0) this.#logger.info('network repaired after all', { attempts: failures + 1 });
        failures = 0;
        continue;
      }
      this.#isDue = true;
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** failures, MAX_PAUSE_MS);
      failures += 1;
      this.#logger.error('network not repaired, trying again', { reason: failure, failures, pauseMs });
      await sleep(this.#clock, pauseMs, signal);
    }
    this.#series = undefined;
  }

  async #failureOfAttempt(): Promise<string | undefined> {
    try {
      await this.#attempt();
      return undefined;
    } catch (error) {
      return errorMessage(error);
    }
  }
}
