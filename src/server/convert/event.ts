import type { EngineEvent } from '#base';
import { byKey } from './zero.ts';

const NS_PER_S = 1_000_000_000n;

/**
 * One event as a line of JSON. Written by hand, because nanoseconds do not fit into a JavaScript number. `legacy` adds
 * the fields that clients before API 1.52 read; docker's CLI before 25.0 crashes without them.
 */
export function encodeEvent(event: EngineEvent, legacy: boolean): string {
  const message = {
    ...(legacy ? legacyFields(event) : {}),
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.actorId, Attributes: byKey(event.attributes) },
    scope: 'local',
  };
  const head = JSON.stringify(message).slice(0, -1);
  return `${head},"time":${event.timeNs / NS_PER_S},"timeNano":${event.timeNs}}\n`;
}

function legacyFields({ type, action, actorId, attributes }: EngineEvent) {
  if (type === 'image') return { status: action, id: actorId };
  if (type !== 'container') return {};
  return { status: action, id: actorId, from: attributes['image'] ?? '' };
}
