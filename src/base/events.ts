/** What happened to one object of the engine. Source: Engine API, EventMessage. */
export interface EngineEvent {
  readonly type: EventType;
  /** `create`, `start`, `die`, `exec_create: sh`, … as docker names them. */
  readonly action: string;
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Nanoseconds since the epoch; strictly increasing within one bus. */
  readonly timeNs: bigint;
}

export const EVENT_TYPES = [
  'builder',
  'config',
  'container',
  'daemon',
  'image',
  'network',
  'node',
  'plugin',
  'secret',
  'service',
  'volume',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

export type NewEvent = Omit<EngineEvent, 'timeNs'>;

/** Past events first (from the bounded ring, at or after `sinceNs`), then live ones until disposed. */
export interface EventBus {
  publish(event: NewEvent): EngineEvent;
  /** Events still in the ring, oldest first. */
  history(range?: { readonly sinceNs?: bigint; readonly untilNs?: bigint }): EngineEvent[];
  /** Calls `listener` for each later event. Dispose to stop. A throwing listener is dropped. */
  subscribe(
    listener: (event: EngineEvent) => void,
    options?: {
      /** Part of the engine: not counted. */
      readonly isInternal?: boolean;
    },
  ): Disposable;
  /** Clients that listen. */
  readonly listenerCount: number;
}

const DEFAULT_RING_SIZE = 1024;

/** An in-memory {@link EventBus} that remembers the newest `ringSize` events (default 1024). */
export function createEventBus(
  options: {
    readonly ringSize?: number;
    readonly nowNs?: () => bigint;
    /** Events of an earlier daemon, oldest first. */
    readonly past?: readonly EngineEvent[];
  } = {},
): EventBus {
  const ringSize = options.ringSize ?? DEFAULT_RING_SIZE;
  const nowNs = options.nowNs ?? (() => BigInt(Date.now()) * 1_000_000n);
  const listeners = new Set<(event: EngineEvent) => void>();
  const ring: EngineEvent[] = [...(options.past ?? [])];
  let lastNs = ring.at(-1)?.timeNs ?? 0n;
  let internal = 0;
  return {
    publish(event) {
      const now = nowNs();
      lastNs = now > lastNs ? now : lastNs + 1n;
      const stamped = { ...event, timeNs: lastNs };
      ring.push(stamped);
      if (ring.length > ringSize) ring.shift();
      for (const listener of [...listeners]) notify(listeners, listener, stamped);
      return stamped;
    },
    history: ({ sinceNs, untilNs } = {}) =>
      ring.filter(
        ({ timeNs }) =>
          (sinceNs === undefined || timeNs >= sinceNs) && (untilNs === undefined || timeNs <= untilNs),
      ),
    subscribe(listener, { isInternal = false } = {}) {
      listeners.add(listener);
      if (isInternal) internal += 1;
      return {
        [Symbol.dispose]: () => {
          if (listeners.delete(listener) && isInternal) internal -= 1;
        },
      };
    },
    get listenerCount() {
      return listeners.size - internal;
    },
  };
}

function notify(
  listeners: Set<(event: EngineEvent) => void>,
  listener: (event: EngineEvent) => void,
  event: EngineEvent,
): void {
  try {
    listener(event);
  } catch {
    listeners.delete(listener);
  }
}
