import type { EventMessage } from '#api';

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
