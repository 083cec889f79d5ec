import type { Fd, Nftables, RulesChanges, RulesMonitor } from '#sys';
import type { RulesWatch } from '../kernel.ts';

interface Watching {
  readonly table: string;
  readonly monitor: RulesMonitor;
  socket: Bun.Socket<undefined> | undefined;
  readonly timer: ReturnType<typeof setInterval> | undefined;
}

/**
 * Notices what others do to our table. The kernel tells of every transaction, ours included; but what ours did is
 * queued when it returns, so whatever is found before and whatever is too much afterwards is somebody else's.
 */
export class RulesWatcher {
  readonly #openMonitor: () => RulesMonitor;
  readonly #nftables: () => Nftables;
  readonly #onDamaged: () => void;
  #watching: Watching | undefined;

  constructor(options: {
    readonly openMonitor: () => RulesMonitor;
    readonly nftables: () => Nftables;
    readonly onDamaged: () => void;
  }) {
    this.#openMonitor = options.openMonitor;
    this.#nftables = options.nftables;
    this.#onDamaged = options.onDamaged;
  }

  /** Ends the watch there was and begins this one. */
  async watch(watch: RulesWatch | undefined): Promise<void> {
    this.#stop();
    if (!watch) return;
    const watching: Watching = {
      table: watch.table,
      monitor: this.#openMonitor(),
      socket: undefined,
      timer: watch.intervalMs > 0 ? setInterval(() => this.#look(watch.table), watch.intervalMs) : undefined,
    };
    this.#watching = watching;
    await this.#listen(watching, watch);
  }

  /** Carries out one transaction of ours. */
  change(run: () => void): void {
    const watching = this.#watching;
    if (!watching) {
      run();
      return;
    }
    this.#judge(watching, watching.monitor.read(), 0);
    let own = 0;
    try {
      run();
      own = 1;
    } finally {
      this.#judge(watching, watching.monitor.read(), own);
    }
  }

  async #listen(watching: Watching, watch: RulesWatch): Promise<void> {
    const { monitor } = watching;
    const socket = await connectFd(monitor.fd, {
      data: (_, datagram) => this.#judge(watching, monitor.decode(datagram), 0),
      // More came than the queue holds: what was lost may have been about us.
      close: () => void (this.#watching === watching && this.#begin(watch)),
      error() {},
    });
    socket.unref();
    if (this.#watching === watching) watching.socket = socket;
    else socket.terminate();
  }

  #begin(watch: RulesWatch): void {
    this.#onDamaged();
    this.watch(watch).catch(() => {});
  }

  /** `own`: how many of the transactions that touch our table are ours. */
  #judge({ table }: Watching, { transactions, isComplete }: RulesChanges, own: number): void {
    const touching = transactions.filter((tables) => tables.has(`inet ${table}`)).length;
    if (touching > own || (!isComplete && !this.#hasRules(table))) this.#onDamaged();
  }

  #look(table: string): void {
    // Listing a chain makes libnftables read all elements (20 ms beside 3,000 ports), its name alone does not.
    const isThere = this.#lists('list chains inet', (entry) => {
      const chain = entry['chain'];
      return typeof chain === 'object' && chain !== null && 'table' in chain && chain.table === table;
    });
    if (!isThere) this.#onDamaged();
  }

  #hasRules(table: string): boolean {
    return this.#lists(`list chain inet ${table} forwarding`, (entry) => 'rule' in entry);
  }

  #lists(command: string, wanted: (entry: Record<string, unknown>) => boolean): boolean {
    try {
      return this.#nftables().query(command).some(wanted);
    } catch {
      return false;
    }
  }

  #stop(): void {
    const watching = this.#watching;
    this.#watching = undefined;
    if (!watching) return;
    clearInterval(watching.timer);
    // The socket has taken the descriptor over; one that is still on its way ends by itself.
    watching.socket?.terminate();
  }
}

/** The types of Bun 1.4 do not know `fd`; the call does. */
function connectFd(fd: Fd, socket: Bun.SocketHandler<undefined>): Promise<Bun.Socket<undefined>> {
  const connect = Bun.connect as unknown as (options: {
    readonly fd: Fd;
    readonly socket: Bun.SocketHandler<undefined>;
  }) => Promise<Bun.Socket<undefined>>;
  return connect({ fd, socket });
}
