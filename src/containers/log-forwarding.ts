import { hostname } from 'node:os';
import { join } from 'node:path';
import { errorMessage } from '#base';
import type { Companion } from './companions.ts';
import { effectiveLogging } from './create/log-config.ts';
import type { Engine } from './engine.ts';
import { logInfoOf } from './log-drivers/index.ts';
import type { Container } from './model.ts';
import { containerPaths } from './paths.ts';
import { settledWithin } from './settled-within.ts';

/** How long the removal of a container waits until its last lines have been sent away, in milliseconds. */
const DELIVERY_MS = 3000;

/** Sends the output of containers to where their log driver wants it. */
export class LogForwarding implements Companion {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async begin(container: Container): Promise<void> {
    await this.#start(container);
  }

  /** The daemon was away when it ended: what had not been sent is sent now. */
  async ended(container: Container): Promise<void> {
    await this.#start(container);
    this.#engine.forwarders.complete(container.id);
  }

  end(id: string): void {
    this.#engine.forwarders.complete(id);
  }

  /** The files go with the container, so the rest has to be delivered first. A dead sink holds the removal up but little. */
  async forget(id: string): Promise<void> {
    const { forwarders } = this.#engine;
    forwarders.complete(id);
    await settledWithin(forwarders.done(id), DELIVERY_MS);
    await forwarders.stop(id);
  }

  close(): Promise<void> {
    return this.#engine.forwarders.close();
  }

  async #start(container: Container): Promise<void> {
    const { forwarders, defaults, sys, dataRoot, logger } = this.#engine;
    if (container.logPath === '') return;
    try {
      const { config, logging } = effectiveLogging(container.hostConfig.logConfig, defaults);
      if (!logging.sink) return;
      const info = logInfoOf(container, config.config);
      const host = { sockets: sys.sockets, hostname: hostname(), pid: process.pid };
      await forwarders.start(container.id, {
        driver: logging.driver,
        spoolPath: container.logPath,
        positionPath: join(containerPaths(dataRoot, container.id).directory, 'log-position'),
        sink: logging.sink(info, host),
        maxLagBytes: logging.maxLagBytes,
      });
    } catch (error) {
      // The log is kept here all the same.
      logger.warn('logs are not sent away', { container: container.id, error: errorMessage(error) });
    }
  }
}
