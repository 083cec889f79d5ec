import { errorMessage } from '#base';
import type { Fd, Nftables, RulesChanges, RulesMonitor } from '#sys';
import type { RulesWatch } from '../kernel.ts';

/** How long until the notifications are asked for again when they could not be had. */
const RETRY_MS = 1000;

interface Watching {
  readonly table: string;
  /** Undefined while it cannot be opened: then only the timer notices anything. */
  monitor: RulesMonitor | undefined;
  socket: Bun.Socket<undefined> | undefined;
  readonly timer: Timer | undefined;
  retry: Timer | undefined;
}

export interface RulesWatcherOptions {
  readonly openMonitor: () => RulesMonitor;
  readonly nftables: () => Nftables;
  readonly onDamaged: () => void;
  /** The notifications ended and could not be had again yet; it is tried on. Told once for each time. */
  readonly onLost: (reason: string) => void;
  /** Default 1000. */
  readonly retryMs?: number;
  /** Lets the event loop read a descriptor. */
  readonly connect?: typeof connectFd;
}

/**
 * Notices what others do to our table. The kernel tells of every transaction, ours included; but what ours did is
 * queued when it returns, so whatever is found before and whatever is too much afterwards is somebody else's.
 */
export class RulesWatcher {
  readonly #options: Required<RulesWatcherOptions>;
  #watching: Watching | undefined;

  constructor(options: RulesWatcherOptions) {
    this.#options = { retryMs: RETRY_MS, connect: connectFd, ...options };
  }

  /** Ends the watch there was and begins this one. */
  async watch(watch: RulesWatch | undefined): Promise<void> {
    this.#stop();
    if (!watch) return;
    const { table, intervalMs } = watch;
    const monitor = this.#options.openMonitor();
    const watching: Watching = {
      table,
      monitor,
      socket: undefined,
      timer: intervalMs > 0 ? setInterval(() => this.#look(table), intervalMs) : undefined,
      retry: undefined,
    };
    this.#watching = watching;
    try {
      await this.#listen(watching, monitor);
    } catch (error) {
      if (this.#watching === watching) this.#stop();
      throw error;
    }
  }

  /** Carries out one transaction of ours. */
  change(run: () => void): void {
    const { table, monitor } = this.#watching ?? {};
    if (table === undefined || !monitor) {
      run();
      return;
    }
    this.#judge(table, monitor.read(), 0);
    let own = 0;
    try {
      run();
      own = 1;
    } finally {
      this.#judge(table, monitor.read(), own);
    }
  }

  /** @throws when the event loop does not take the monitor, which is closed then. */
  async #listen(watching: Watching, monitor: RulesMonitor): Promise<void> {
    const isCurrent = () => this.#watching === watching && watching.monitor === monitor;
    const connecting = this.#options.connect(monitor.fd, {
      data: (_, datagram) => this.#judge(watching.table, monitor.decode(datagram), 0),
      close: () => void (isCurrent() && this.#reopen(watching)),
      error() {},
    });
    const socket = await connecting.catch((error) => {
      watching.monitor = undefined;
      monitor[Symbol.dispose]();
      throw error;
    });
    socket.unref();
    if (isCurrent()) watching.socket = socket;
    else socket.terminate();
  }

  /** More came than the queue holds: what was lost, until the notifications are there again, may have been about us. */
  async #reopen(watching: Watching, isTold = false): Promise<void> {
    watching.socket = undefined;
    watching.monitor = undefined;
    try {
      watching.monitor = this.#options.openMonitor();
      await this.#listen(watching, watching.monitor);
    } catch (error) {
      watching.monitor = undefined;
      if (this.#watching !== watching) return;
      watching.retry = setTimeout(() => void this.#reopen(watching, true), this.#options.retryMs);
      if (isTold) return;
      this.#options.onLost(errorMessage(error));
    }
    if (this.#watching === watching) this.#options.onDamaged();
  }

  /** `own`: how many of the transactions that touch our table are ours. */
  #judge(table: string, { transactions, isComplete }: RulesChanges, own: number): void {
    const touching = transactions.filter((tables) => tables.has(`inet ${table}`)).length;
    if (touching > own || (!isComplete && !this.#hasRules(table))) this.#options.onDamaged();
  }

  #look(table: string): void {
    // Listing a chain makes libnftables read all elements (20 ms beside 3,000 ports), its name alone does not.
    const isThere = this.#lists('list chains inet', (entry) => {
      const chain = entry['chain'];
      return typeof chain === 'object' && chain !== null && 'table' in chain && chain.table === table;
    });
    if (!isThere) this.#options.onDamaged();
  }

  #hasRules(table: string): boolean {
    return this.#lists(`list chain inet ${table} forwarding`, (entry) => 'rule' in entry);
  }

  #lists(command: string, wanted: (entry: Record<string, unknown>) => boolean): boolean {
    try {
      return this.#options.nftables().query(command).some(wanted);
    } catch {
      return false;
    }
  }

  #stop(): void {
    const watching = this.#watching;
    this.#watching = undefined;
    if (!watching) return;
    clearInterval(watching.timer);
    clearTimeout(watching.retry);
    // The socket has taken the descriptor over; one that is still on its way ends by itself.
    watching.socket?.terminate();
  }
}

/** The types of Bun 1.4 do not know `fd`; the call does. */
async function connectFd(fd: Fd, socket: Bun.SocketHandler<undefined>): Promise<Bun.Socket<undefined>> {
  const connect = Bun.connect as unknown as (options: {
    readonly fd: Fd;
    readonly socket: Bun.SocketHandler<undefined>;
  }) => Promise<Bun.Socket<undefined>>;
  return await connect({ fd, socket });
}
