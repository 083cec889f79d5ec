import { type Filters, matchesLabels } from '#api';
import type { EngineEvent } from '#base';
import { familiarName } from '../image/input.ts';

/**
 * The filters of `docker events`: alternatives within a key, all keys must match. Source: docker's daemon/events/filter.go.
 */
export function eventMatches(event: EngineEvent, filters: Filters): boolean {
  return Object.entries(filters).every(
    ([key, values]) =>
      values.length === 0 || !Object.hasOwn(MATCHERS, key) || MATCHERS[key]?.(event, values) !== false,
  );
}

type Matcher = (event: EngineEvent, values: readonly string[]) => boolean;

/** As in docker: whatever the event is about. `container=web` takes a network `web_net` too, an empty value all. */
const matchesObject: Matcher = ({ actorId, attributes }, values) =>
  values.some((value) => actorId.startsWith(value) || (attributes['name'] ?? '').startsWith(value));

const OBJECT_KEYS = [
  'container',
  'daemon',
  'plugin',
  'volume',
  'network',
  'node',
  'service',
  'secret',
  'config',
];

const MATCHERS: Readonly<Record<string, Matcher>> = {
  ...Object.fromEntries(OBJECT_KEYS.map((key) => [key, matchesObject])),
  image: (event, values) => matchesImage(event, values),
  event: ({ action }, values) => matchesAction(action, values),
  type: ({ type }, values) => values.includes(type),
  scope: (_, values) => values.includes('local'),
  label: ({ attributes }, values) => matchesLabels(attributes, values),
};

/** Actions with details behind a colon. */
const DETAILED = ['health_status', 'exec_create', 'exec_start'];

/** `health_status` takes every `health_status: …`; beside it the other values are beginnings, too. */
function matchesAction(action: string, values: readonly string[]): boolean {
  const areBeginnings = values.some((value) => DETAILED.includes(value));
  return values.some((value) => (areBeginnings ? action.startsWith(value) : action === value));
}

/** Also events of containers made from the image; a name without tag takes all its tags. */
function matchesImage({ type, actorId, attributes }: EngineEvent, values: readonly string[]): boolean {
  const name = attributes[type === 'image' ? 'name' : 'image'] ?? '';
  return [actorId, name, withoutTag(actorId), withoutTag(name)].some((text) => values.includes(text));
}

function withoutTag(image: string): string {
  const [name = ''] = image.split('@');
  const tag = name.lastIndexOf(':');
  return familiarName(tag > name.lastIndexOf('/') ? name.slice(0, tag) : name);
}
