import { errorMessage, type Logger } from '#base';
import type { NetworkKernel } from './kernel.ts';
import {
  type RuleElements,
  renderAdd,
  renderDelete,
  renderDeleteTable,
  renderTable,
  type WantedRules,
} from './rules.ts';

/** Between two restores at least: somebody who changes our table all the time shall not keep us busy. */
const RESTORE_PAUSE_MS = 100;

interface FirewallOptions {
  readonly kernel: NetworkKernel;
  readonly logger: Logger;
  readonly table: string;
  /** Asked anew at every rebuild. */
  readonly wanted: () => WantedRules;
}

/** Keeps our nftables table equal to what the sandboxes say. */
export interface Firewall {
  /** Replaces the whole table in one transaction. */
  rebuild(): Promise<void>;
  add(elements: RuleElements): Promise<void>;
  delete(elements: RuleElements): Promise<void>;
  /** Puts the table back after somebody damaged it: at once, then at most every 100 ms. Never throws. */
  restore(): Promise<void>;
  watch(intervalMs: number): Promise<void>;
  /** Ends the watch and removes the table. */
  remove(): Promise<void>;
}

export const createFirewall = (options: FirewallOptions): Firewall => new NftablesFirewall(options);

/** The firewall of a daemon that manages none: everything is left to the host. */
export function createAbsentFirewall(): Firewall {
  const nothing = async (): Promise<void> => {};
  return {
    rebuild: nothing,
    add: nothing,
    delete: nothing,
    restore: nothing,
    watch: nothing,
    remove: nothing,
  };
}

class NftablesFirewall implements Firewall {
  readonly #kernel: NetworkKernel;
  readonly #logger: Logger;
  readonly #table: string;
  readonly #wanted: () => WantedRules;
  #restoring: Promise<void> | undefined;
  #isDamaged = false;

  constructor({ kernel, logger, table, wanted }: FirewallOptions) {
    this.#kernel = kernel;
    this.#logger = logger;
    this.#table = table;
    this.#wanted = wanted;
  }

  async rebuild(): Promise<void> {
    await this.#kernel.applyRules(renderTable(this.#table, this.#wanted()));
  }

  async add(elements: RuleElements): Promise<void> {
    await this.#change(renderAdd(this.#table, elements));
  }

  async delete(elements: RuleElements): Promise<void> {
    await this.#change(renderDelete(this.#table, elements));
  }

  restore(): Promise<void> {
    this.#isDamaged = true;
    this.#restoring ??= this.#restoreAll().finally(() => {
      this.#restoring = undefined;
    });
    return this.#restoring;
  }

  watch(intervalMs: number): Promise<void> {
    return this.#kernel.watchRules({ table: this.#table, intervalMs });
  }

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

  // Damage that is told of while a restore is under way may have come after it.
  async #restoreAll(): Promise<void> {
    while (this.#isDamaged) {
      this.#isDamaged = false;
      await this.#restoreOnce();
      await Bun.sleep(RESTORE_PAUSE_MS);
    }
  }

  async #restoreOnce(): Promise<void> {
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
