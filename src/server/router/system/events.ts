import type { Filters } from '#api';
import { type EngineEvent, type EventBus, systemClock } from '#base';
import { eventsNotRead } from '../../errors.ts';
import type { Sink } from '../../http/reply.ts';
import { eventMatches } from './event-filter.ts';

export interface EventRange {
  readonly sinceNs: bigint | undefined;
  readonly untilNs: bigint | undefined;
  readonly filters: Filters;
  /** Events that this client is not told, whatever it filters. */
  readonly hides: (event: EngineEvent) => boolean;
}

/** Events that wait for one client. */
const MAX_WAITING = 1024;

/** Past events are shown only to those who ask for a range. */
function pastEvents(bus: EventBus, { sinceNs, untilNs }: EventRange): EngineEvent[] {
  if (sinceNs === undefined && untilNs === undefined) return [];
  return bus.history({
    ...(sinceNs === undefined ? {} : { sinceNs }),
    ...(untilNs === undefined ? {} : { untilNs }),
  });
}

/**
 * Writes past events, then live ones until `untilNs` or until the client is gone.
 * @throws `unavailable` when the client reads so slowly that too many events wait for it.
 */
export async function streamEvents(
  bus: EventBus,
  range: EventRange,
  sink: Sink,
  encode: (event: EngineEvent) => string,
): Promise<void> {
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const queue: EngineEvent[] = [];
  const writer = new PatientWriter(sink);
  let wake = () => {};
  // Subscribed before the past is read, so that nothing falls between.
  using _ = bus.subscribe((event) => {
    if (!isWanted(event, range)) return;
    if (queue.push(event) > MAX_WAITING && writer.isWaiting) writer.giveUp(eventsNotRead(MAX_WAITING));
    wake();
  });
  let lastNs = -1n;
  for (const event of pastEvents(bus, range)) {
    lastNs = event.timeNs;
    if (isWanted(event, range)) await writer.write(encode(event));
  }
  if (range.untilNs !== undefined && range.untilNs <= nowNs) return;
  const end = endOf(range, nowNs, sink.signal, () => wake());
  using _timer = end;
  while (!end.ended) {
    const event = queue.shift();
    if (!event) await new Promise<void>((resolve) => (wake = resolve));
    else if (event.timeNs > lastNs) await writer.write(encode(event));
  }
}

const isWanted = (event: EngineEvent, { filters, hides }: EventRange): boolean =>
  !hides(event) && eventMatches(event, filters);

/** Waits for the client, until somebody gives it up. */
class PatientWriter {
  readonly #sink: Sink;
  #interrupt: ((reason: Error) => void) | undefined;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  get isWaiting(): boolean {
    return this.#interrupt !== undefined;
  }

  /** Ends the wait with the reason. */
  giveUp(reason: Error): void {
    this.#interrupt?.(reason);
  }

  async write(text: string): Promise<void> {
    const drained = this.#sink.write(text);
    if (!drained) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#interrupt = reject;
    drained.then(resolve, reject);
    await promise;
    this.#interrupt = undefined;
  }
}

/** Ends with the range or with the client. Dispose to free the timer. */
function endOf({ untilNs }: EventRange, nowNs: bigint, signal: AbortSignal, wake: () => void) {
  const end = {
    ended: signal.aborted,
    [Symbol.dispose]: () => {
      cancel();
      signal.removeEventListener('abort', finish);
    },
  };
  const finish = () => {
    end.ended = true;
    wake();
  };
  const cancel =
    untilNs === undefined ? () => {} : systemClock.schedule(Number((untilNs - nowNs) / 1_000_000n), finish);
  signal.addEventListener('abort', finish, { once: true });
  return end;
}
