import { type Filters, matchesLabels } from '#api';
import type { EngineEvent, EventType } from '#base';

/** Keys that name an object: the object's type. */
const OBJECT_KEYS: Readonly<Record<string, EventType>> = {
  container: 'container',
  image: 'image',
  network: 'network',
  volume: 'volume',
  daemon: 'daemon',
  plugin: 'plugin',
  service: 'service',
  node: 'node',
  secret: 'secret',
  config: 'config',
};

/** The filters of `docker events`: alternatives within a key, all keys must match. Source: docker's daemon/events/filter.go. */
export function eventMatches(event: EngineEvent, filters: Filters): boolean {
  return Object.entries(filters).every(
    ([key, values]) => values.length === 0 || MATCHERS[key]?.(event, values) !== false,
  );
}

type Matcher = (event: EngineEvent, values: readonly string[]) => boolean;

const MATCHERS: Readonly<Record<string, Matcher>> = {
  ...Object.fromEntries(
    Object.entries(OBJECT_KEYS).map(([key, type]) => [
      key,
      (event: EngineEvent, values: readonly string[]) => matchesObject(event, type, values),
    ]),
  ),
  image: (event, values) => matchesImage(event, values),
  event: ({ action }, values) => values.some((value) => matchesAction(action, value)),
  type: ({ type }, values) => values.includes(type),
  scope: (_, values) => values.includes('local'),
  label: ({ attributes }, values) => matchesLabels(attributes, values),
};

/** `health_status` takes every `health_status: …`, `exec_create` every `exec_create: …`. */
function matchesAction(action: string, wanted: string): boolean {
  return action === wanted || action.startsWith(`${wanted}:`);
}

function matchesObject(event: EngineEvent, type: EventType, values: readonly string[]): boolean {
  if (event.type !== type) return false;
  const name = event.attributes['name'] ?? '';
  return values.some((value) => isPrefix(event.actorId, value) || isPrefix(name, value));
}

/** Docker takes the beginning of a name as well as of an ID. */
const isPrefix = (text: string, value: string): boolean => value.length > 0 && text.startsWith(value);

/** Also events of containers made from the image; a name without tag takes all its tags. */
function matchesImage(event: EngineEvent, values: readonly string[]): boolean {
  const key = event.type === 'image' ? 'name' : 'image';
  const name = event.attributes[key] ?? '';
  return values.some((value) => event.actorId === value || name === value || withoutTag(name) === value);
}

function withoutTag(name: string): string {
  const colon = name.lastIndexOf(':');
  return colon > name.lastIndexOf('/') ? name.slice(0, colon) : name;
}
