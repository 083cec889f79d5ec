import { type Clock, type Logger, systemClock } from '#base';
import type { SpoolGuard } from '../spool/rotator.ts';
import type { SinkSettings } from '../types.ts';
import { Forwarder, type ForwarderStatus } from './forwarder.ts';

export interface ForwardersOptions {
  readonly logger: Logger;
  /** Default: the real time. */
  readonly clock?: Clock;
  /** Blocking mode: how much disk an undelivered spool may take beyond its rotation, in bytes. Default 1 GiB. */
  readonly maxSpoolBytes?: number;
}

/** A container whose output is to be sent away. */
export interface ForwardedContainer {
  readonly driver: string;
  readonly spoolPath: string;
  /** A file of ours beside the spool; goes with it. */
  readonly positionPath: string;
  readonly sink: SinkSettings;
  /** From the options `mode` and `max-buffer-size`; undefined is blocking mode. */
  readonly maxLagBytes: number | undefined;
}

const DEFAULT_MAX_SPOOL_BYTES = 1024 ** 3;

/** The forwarders of all containers. */
export class Forwarders {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #maxSpoolBytes: number;
  readonly #forwarders = new Map<string, Forwarder>();

  constructor({ logger, clock = systemClock, maxSpoolBytes = DEFAULT_MAX_SPOOL_BYTES }: ForwardersOptions) {
    this.#logger = logger;
    this.#clock = clock;
    this.#maxSpoolBytes = maxSpoolBytes;
  }

  /**
   * A run of the container begins, or goes on under a new daemon. A forwarder of an earlier run that is not done yet
   * is replaced by one that goes on where it was.
   */
  async start(containerId: string, container: ForwardedContainer): Promise<void> {
    await this.stop(containerId);
    const forwarder = new Forwarder({
      ...container,
      maxSpoolBytes: this.#maxSpoolBytes,
      clock: this.#clock,
      logger: this.#logger.child({ container: containerId }),
    });
    this.#forwarders.set(containerId, forwarder);
    void forwarder.done.then(() => {
      if (this.#forwarders.get(containerId) === forwarder) this.#forwarders.delete(containerId);
    });
  }

  /** The run is over and its log whole. The rest is delivered in the background, for as long as that takes. */
  complete(containerId: string): void {
    this.#forwarders.get(containerId)?.complete();
  }

  /** Resolves when everything is delivered or the forwarder has been stopped; at once when there is none. */
  async done(containerId: string): Promise<void> {
    await this.#forwarders.get(containerId)?.done;
  }

  /** Before the container is removed: stops at once. */
  async stop(containerId: string): Promise<void> {
    const forwarder = this.#forwarders.get(containerId);
    this.#forwarders.delete(containerId);
    await forwarder?.[Symbol.asyncDispose]();
  }

  /** Stops all; their places are saved. */
  async close(): Promise<void> {
    await Promise.all([...this.#forwarders.keys()].map((id) => this.stop(id)));
  }

  /** To be asked by the rotation of the container's spool. */
  guard(containerId: string): SpoolGuard | undefined {
    return this.#forwarders.get(containerId);
  }

  status(containerId: string): ForwarderStatus | undefined {
    return this.#forwarders.get(containerId)?.status;
  }
}
