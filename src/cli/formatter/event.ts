import type { EventMessage } from '#api';
import { Struct } from '../template/values.ts';

/** Times with nine digits of fraction and the local zone, as Go's RFC3339Nano with fixed width. */
function eventTime(timeNano: bigint): string {
  const date = new Date(Number(timeNano / 1_000_000n));
  const offset = -date.getTimezoneOffset();
  const local = new Date(date.getTime() + offset * 60_000).toISOString();
  const fraction = String(timeNano % 1_000_000_000n).padStart(9, '0');
  const two = (value: number) => String(Math.trunc(value)).padStart(2, '0');
  const zone =
    offset === 0
      ? 'Z'
      : `${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}:${two(Math.abs(offset) % 60)}`;
  return `${local.slice(0, 19)}.${fraction}${zone}`;
}

/** `2026-11-22T01:08:13.947367826Z volume create v1 (driver=local)` */
export function eventLine({ Type, Action, Actor, time, timeNano }: EventMessage): string {
  const when = timeNano ? BigInt(timeNano) : BigInt(time ?? 0) * 1_000_000_000n;
  const attributes = Object.entries(Actor.Attributes ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort();
  return `${eventTime(when)} ${Type} ${Action} ${Actor.ID}${attributes.length > 0 ? ` (${attributes.join(', ')})` : ''}\n`;
}

/**
 * With the names that events had before API 1.52 (`status`, `id`, `from`) where the engine leaves them out: scripts know
 * them. Source: moby, `api/server/middleware` of the versions before.
 */
export function withOldNames(message: EventMessage): EventMessage {
  const event = withSortedAttributes(message);
  const { status, id, from, Type, Action, Actor } = event;
  if (status !== undefined || !/^(container|image)$/.test(Type)) return event;
  const image = Type === 'container' ? (from ?? Actor.Attributes?.['image']) : undefined;
  return {
    status: Action,
    id: id ?? Actor.ID,
    ...(image === undefined ? {} : { from: image }),
    ...event,
  };
}

/** In the order of a Go map, which scripts that compare lines rely on. */
function withSortedAttributes(event: EventMessage): EventMessage {
  const Attributes = Object.fromEntries(
    Object.entries(event.Actor.Attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  return { ...event, Actor: { ...event.Actor, Attributes } };
}

/** An event as templates see it: the fields of docker's message type. As JSON it is what came over the wire. */
class EventStruct extends Struct {
  readonly #event: EventMessage;

  constructor(event: EventMessage) {
    const { status = '', id = '', from = '', Type, Action, Actor, scope = '' } = event;
    const { time = 0, timeNano = 0 } = event;
    const names = { Status: status, ID: id, From: from, Type, Action };
    const actor = new Struct('events.Actor', { ...Actor }, { keepsOrder: true });
    super(
      '*events.Message',
      { ...names, Actor: actor, Scope: scope, Time: time, TimeNano: timeNano },
      { keepsOrder: true },
    );
    this.#event = event;
  }

  override toJSON(): Record<string, unknown> {
    return {
      ...this.#event,
      Actor: new Struct('events.Actor', { ...this.#event.Actor }, { keepsOrder: true }),
    };
  }
}

/** Wraps an event for a template, under its old names too. */
export const eventStruct = (event: EventMessage): Struct => new EventStruct(withOldNames(event));
