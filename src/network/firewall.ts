import { errorMessage, type Logger } from '#base';
import type { NetworkKernel } from './kernel.ts';
import {
  type BridgeRules,
  type PortRule,
  renderAddPorts,
  renderDeletePorts,
  renderDeleteTable,
  renderTable,
} from './rules.ts';

/** Keeps our nftables table equal to what the sandboxes say. */
export class Firewall {
  readonly #kernel: NetworkKernel;
  readonly #logger: Logger;
  readonly #table: string;
  readonly #wanted: () => { readonly networks: BridgeRules[]; readonly ports: PortRule[] };
  #restoring: Promise<void> | undefined;

  /** `wanted` is asked anew at every rebuild. */
  constructor(options: {
    readonly kernel: NetworkKernel;
    readonly logger: Logger;
    readonly table: string;
    readonly wanted: () => { readonly networks: BridgeRules[]; readonly ports: PortRule[] };
  }) {
    this.#kernel = options.kernel;
    this.#logger = options.logger;
    this.#table = options.table;
    this.#wanted = options.wanted;
  }

  /** Replaces the whole table in one transaction. */
  async rebuild(): Promise<void> {
    const { networks, ports } = this.#wanted();
    await this.#kernel.applyRules(renderTable(this.#table, networks, ports));
  }

  async add(ports: readonly PortRule[]): Promise<void> {
    await this.#change(renderAddPorts(this.#table, ports));
  }

  async delete(ports: readonly PortRule[]): Promise<void> {
    await this.#change(renderDeletePorts(this.#table, ports));
  }

  /** Puts the table back after somebody damaged it. One rebuild at a time; never throws. */
  restore(): Promise<void> {
    this.#restoring ??= this.#restore().finally(() => {
      this.#restoring = undefined;
    });
    return this.#restoring;
  }

  watch(intervalMs: number): Promise<void> {
    return this.#kernel.watchRules(intervalMs > 0 ? { table: this.#table, intervalMs } : undefined);
  }

  /** Ends the watch and removes the table. */
  async remove(): Promise<void> {
    await this.#kernel.watchRules(undefined);
    await this.#kernel.applyRules(renderDeleteTable(this.#table));
  }

  async #change(commands: string): Promise<void> {
    if (commands === '') return;
    try {
      await this.#kernel.applyRules(commands);
    } catch (error) {
      // Somebody emptied the table: what we want is known, so all of it is written again.
      this.#logger.warn('firewall change failed, rebuilding the table', { reason: errorMessage(error) });
      await this.rebuild();
    }
  }

  async #restore(): Promise<void> {
    try {
      await this.rebuild();
      this.#logger.warn('firewall table was damaged by another program and has been restored', {
        table: this.#table,
      });
    } catch (error) {
      this.#logger.error('firewall table not restored', { table: this.#table, reason: errorMessage(error) });
    }
  }
}
