import type { Filters } from '#api';
import type { EngineEvent, EventBus } from '#base';
import type { Sink } from '../../http/reply.ts';
import { eventMatches } from './event-filter.ts';

export interface EventRange {
  readonly sinceNs: bigint | undefined;
  readonly untilNs: bigint | undefined;
  readonly filters: Filters;
  /** Events that this client is not told, whatever it filters. */
  readonly hides: (event: EngineEvent) => boolean;
}

/** Past events are shown only to those who ask for a range. */
function pastEvents(bus: EventBus, { sinceNs, untilNs }: EventRange): EngineEvent[] {
  if (sinceNs === undefined && untilNs === undefined) return [];
  return bus.history({
    ...(sinceNs === undefined ? {} : { sinceNs }),
    ...(untilNs === undefined ? {} : { untilNs }),
  });
}

/** Writes past events, then live ones until `untilNs` or until the client is gone. */
export async function streamEvents(
  bus: EventBus,
  range: EventRange,
  sink: Sink,
  encode: (event: EngineEvent) => string,
): Promise<void> {
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const queue: EngineEvent[] = [];
  let wake = () => {};
  // Subscribed before the past is read, so that nothing falls between.
  using _ = bus.subscribe((event) => {
    queue.push(event);
    wake();
  });
  let lastNs = -1n;
  for (const event of pastEvents(bus, range)) {
    lastNs = event.timeNs;
    if (isWanted(event, range)) await sink.write(encode(event));
  }
  if (range.untilNs !== undefined && range.untilNs <= nowNs) return;
  const end = endOf(range, nowNs, sink.signal, () => wake());
  using _timer = end;
  while (!end.ended) {
    const event = queue.shift();
    if (!event) await new Promise<void>((resolve) => (wake = resolve));
    else if (event.timeNs > lastNs && isWanted(event, range)) await sink.write(encode(event));
  }
}

const isWanted = (event: EngineEvent, { filters, hides }: EventRange): boolean =>
  !hides(event) && eventMatches(event, filters);

/** Ends with the range or with the client. Dispose to free the timer. */
function endOf({ untilNs }: EventRange, nowNs: bigint, signal: AbortSignal, wake: () => void) {
  const end = {
    ended: signal.aborted,
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', finish);
    },
  };
  const finish = () => {
    end.ended = true;
    wake();
  };
  const delayMs = untilNs === undefined ? undefined : Number((untilNs - nowNs) / 1_000_000n);
  const timer = delayMs === undefined ? undefined : setTimeout(finish, Math.min(delayMs, 2 ** 31 - 1));
  signal.addEventListener('abort', finish, { once: true });
  return end;
}
