import {
  createEventBus,
  dataLoss,
  type EngineEvent,
  EVENT_TYPES,
  type EventBus,
  errorMessage,
  type Logger,
} from '#base';
import type { Collection, MetadataStore } from '../types.ts';

export interface EventLogOptions {
  readonly metadata: MetadataStore;
  readonly logger: Logger;
  /** How many events are remembered. Default 1024. */
  readonly capacity?: number;
  /** So many new events are written at once, at the latest. Default 64. */
  readonly batchSize?: number;
  /** How long a new event may wait to be written. Default 1000. */
  readonly delayMs?: number;
}

/** An event bus whose memory outlives the daemon. */
export interface EventLog {
  readonly bus: EventBus;
  /** Writes what waits. Idempotent; later events are only in memory. */
  close(): void;
}

/** Events as stored: the bigint as text. */
interface StoredEvent extends Omit<EngineEvent, 'timeNs'> {
  readonly timeNs: string;
}

/**
 * Opens the remembered events. New ones are written lazily, a batch in one durable row: a crash loses those of the last
 * second, an orderly end none. Old rows go when newer ones hold enough.
 */
export function openEventLog(options: EventLogOptions): EventLog {
  return new StoredEventLog(options);
}

class StoredEventLog implements EventLog {
  readonly bus: EventBus;
  readonly #options: Required<EventLogOptions>;
  readonly #rows: Collection<readonly StoredEvent[]>;
  /** Keys of the rows, oldest first, with how many events each has. */
  readonly #sizes = new Map<string, number>();
  readonly #subscription: Disposable;
  #waiting: EngineEvent[] = [];
  #timer: Timer | undefined;
  #next: number;

  constructor(options: EventLogOptions) {
    this.#options = { capacity: 1024, batchSize: 64, delayMs: 1000, ...options };
    this.#rows = options.metadata.collection('events', decodeBatch);
    const stored = this.#rows.entries();
    for (const [key, events] of stored) this.#sizes.set(key, events.length);
    this.#next = Number(stored.at(-1)?.[0] ?? -1) + 1;
    const { capacity } = this.#options;
    const past = stored.flatMap(([, events]) => events.map(fromStored)).slice(-capacity);
    this.bus = createEventBus({ ringSize: capacity, past });
    this.#subscription = this.bus.subscribe((event) => this.#add(event), { isInternal: true });
  }

  close(): void {
    this.#subscription[Symbol.dispose]();
    this.#flush();
  }

  #add(event: EngineEvent): void {
    this.#waiting.push(event);
    if (this.#waiting.length >= this.#options.batchSize) {
      this.#flush();
      return;
    }
    this.#timer ??= setTimeout(() => this.#flush(), this.#options.delayMs);
    this.#timer.unref();
  }

  /** A full disk must not keep the engine from working: the batch is then only in memory. */
  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const batch = this.#waiting;
    this.#waiting = [];
    if (batch.length === 0) return;
    try {
      this.#write(batch);
    } catch (error) {
      this.#options.logger.warn('events not stored', { count: batch.length, error: errorMessage(error) });
    }
  }

  #write(batch: readonly EngineEvent[]): void {
    const key = String(this.#next).padStart(16, '0');
    const old = this.#superfluous(batch.length);
    this.#options.metadata.transaction(() => {
      this.#rows.put(key, batch.map(toStored));
      for (const gone of old) this.#rows.delete(gone);
    });
    this.#next += 1;
    for (const gone of old) this.#sizes.delete(gone);
    this.#sizes.set(key, batch.length);
  }

  /** The oldest rows, as far as all others with `added` new events still fill the capacity. */
  #superfluous(added: number): string[] {
    let total = added + [...this.#sizes.values()].reduce((sum, size) => sum + size, 0);
    const old: string[] = [];
    for (const [key, size] of this.#sizes) {
      if (total - size < this.#options.capacity) break;
      total -= size;
      old.push(key);
    }
    return old;
  }
}

const toStored = (event: EngineEvent): StoredEvent => ({ ...event, timeNs: String(event.timeNs) });
const fromStored = (event: StoredEvent): EngineEvent => ({ ...event, timeNs: BigInt(event.timeNs) });

function decodeBatch(stored: unknown): readonly StoredEvent[] {
  if (!Array.isArray(stored) || !stored.every(isStoredEvent)) throw dataLoss('stored events cannot be read');
  return stored;
}

function isStoredEvent(value: unknown): value is StoredEvent {
  const event = value as Partial<StoredEvent> | null;
  return (
    typeof event?.action === 'string' &&
    typeof event.actorId === 'string' &&
    typeof event.attributes === 'object' &&
    /^\d+$/.test(event.timeNs ?? '') &&
    EVENT_TYPES.some((type) => type === event.type)
  );
}
