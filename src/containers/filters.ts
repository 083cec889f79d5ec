import { invalidArgument } from '#base';
import { invalidFilter } from './errors.ts';
import type { Container, ContainerState } from './model.ts';
import { exitCodeOf } from './state.ts';
import type { ContainerFilters } from './types.ts';

/** What filters compare a container with. */
export interface FilterContext {
  readonly resolve: (ref: string) => Container;
  /** Image ID of a reference; undefined when there is no such image. */
  readonly imageId: (ref: string) => string | undefined;
  /** Names and IDs of the networks a container is plugged into. */
  readonly networksOf: (container: Container) => readonly string[];
}

type Match = (container: Container, values: readonly string[], context: FilterContext) => boolean;

const STATUSES = {
  created: true,
  running: true,
  paused: true,
  restarting: true,
  exited: true,
  removing: true,
  dead: true,
} as const satisfies Record<ContainerState['status'], true>;

const matchers: Readonly<Record<string, Match>> = {
  id: ({ id }, values) => values.some((value) => id.startsWith(value) || matchesPattern(id, value)),
  name: ({ name }, values) =>
    values.some((value) => matchesPattern(name, value) || matchesPattern(`/${name}`, value)),
  label: ({ config }, values) => values.every((value) => hasLabel(config.labels, value)),
  'label!': ({ config }, values) => !values.some((value) => hasLabel(config.labels, value)),
  status: ({ state }, values) => values.some((value) => parseStatus(value) === state.status),
  exited: ({ state }, values) =>
    values.some((value) => exitCodeOf(state) === parseCode(value)) &&
    (state.status === 'exited' || state.status === 'created'),
  ancestor: (container, values, { imageId }) =>
    values.some((value) => container.config.image === value || imageId(value) === container.imageId),
  before: (container, values, { resolve }) =>
    values.every((value) => container.created < resolve(value).created),
  since: (container, values, { resolve }) =>
    values.every((value) => container.created > resolve(value).created),
  volume: ({ mounts }, values) =>
    values.some((value) =>
      mounts.some(({ name, destination, source }) => [name, destination, source].includes(value)),
    ),
  network: (container, values, { networksOf }) =>
    values.some((value) => networksOf(container).some((network) => network === value)),
  publish: ({ portRequests }, values) =>
    values.some((value) => portRequests.some((port) => isPort(port.hostPort, port.protocol, value))),
  expose: ({ config }, values) =>
    values.some((value) => config.exposedPorts.includes(value.includes('/') ? value : `${value}/tcp`)),
  health: ({ state }, values) => values.includes(healthOf(state)),
  'is-task': (_, values) => !values.some((value) => value === 'true' || value === '1'),
  isolation: (_, values) => values.includes('default'),
};

function matchesPattern(text: string, pattern: string): boolean {
  try {
    return new RegExp(pattern).test(text);
  } catch {
    return text.includes(pattern);
  }
}

/** `key` or `key=value`. */
export function hasLabel(labels: Readonly<Record<string, string>>, filter: string): boolean {
  const at = filter.indexOf('=');
  const key = at < 0 ? filter : filter.slice(0, at);
  return Object.hasOwn(labels, key) && (at < 0 || labels[key] === filter.slice(at + 1));
}

function parseStatus(value: string): string {
  if (!Object.hasOwn(STATUSES, value)) throw invalidFilter('status', value);
  return value;
}

function parseCode(value: string): number {
  const code = Number(value);
  if (!Number.isInteger(code)) throw invalidFilter('exited', value);
  return code;
}

function isPort(port: number | undefined, protocol: string, filter: string): boolean {
  const match = /^(\d+)(?:-(\d+))?(?:\/(\w+))?$/.exec(filter);
  if (!match) throw invalidArgument(`invalid port specification: ${JSON.stringify(filter)}`);
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return port !== undefined && port >= first && port <= last && protocol === (match[3] ?? 'tcp');
}

function healthOf(state: ContainerState): string {
  return ('health' in state ? state.health?.status : undefined) ?? 'none';
}

/** A predicate for all filters. @throws `invalid_argument` for an unknown one. */
export function containerMatcher(
  filters: ContainerFilters,
  context: FilterContext,
): (container: Container) => boolean {
  const tests = Object.entries(filters)
    .filter(([, values]) => values.length > 0)
    .map(([key, values]) => {
      const match = matchers[key];
      if (!match) throw invalidFilter(key);
      return (container: Container) => match(container, values, context);
    });
  return (container) => tests.every((matches) => matches(container));
}
