import { errorMessage, hasLabel, invalidArgument, isNotFound, ownValue, tolerantGoRegexp } from '#base';
import { invalidFilter } from './errors.ts';
import type { Container, ContainerState, HealthState } from './model.ts';
import { exitCodeOf } from './state.ts';
import type { ContainerFilters } from './types.ts';

/** What filters compare a container with. */
export interface FilterContext {
  readonly resolve: (ref: string) => Container;
  /** Image ID of a reference; undefined when there is no such image. */
  readonly imageId: (ref: string) => string | undefined;
  /** The networks a container is plugged into. */
  readonly networksOf: (container: Container) => {
    readonly names: readonly string[];
    readonly ids: readonly string[];
  };
}

type Matches = (container: Container) => boolean;

/** Reads the values once, even when there is no container to compare: a mistake in them is always told. */
type Prepare = (values: readonly string[], context: FilterContext) => Matches;

const STATUSES = Object.keys({
  created: true,
  running: true,
  paused: true,
  restarting: true,
  removing: true,
  exited: true,
  dead: true,
} satisfies Record<ContainerState['status'], true>);
const HEALTHS = Object.keys({
  none: true,
  starting: true,
  healthy: true,
  unhealthy: true,
} satisfies Record<HealthState['status'] | 'none', true>);
const filters: Readonly<Record<string, Prepare>> = {
  id(values) {
    const matches = matcherOf(values);
    return ({ id }) => values.some((value) => id.startsWith(value)) || matches(id);
  },
  name(values) {
    const matches = matcherOf(values);
    return ({ name }) => matches(name) || matches(`/${name}`);
  },
  label:
    (values) =>
    ({ config }) =>
      values.every((value) => hasLabel(config.labels, value)),
  'label!':
    (values) =>
    ({ config }) =>
      !values.some((value) => hasLabel(config.labels, value)),
  status(values) {
    for (const value of values) requireOneOf('status', 'state', STATUSES, value);
    return ({ state }) => values.includes(state.status);
  },
  exited(values) {
    const codes = values.map(parseCode);
    return ({ state }) =>
      (state.status === 'exited' || state.status === 'created') && codes.includes(exitCodeOf(state) ?? -1);
  },
  ancestor(values, { imageId }) {
    const images = values.map((value) => ({ value, id: imageId(value) }));
    return (container) =>
      images.some(({ value, id }) => container.config.image === value || id === container.imageId);
  },
  before(values, { resolve }) {
    const times = values.map((value) => asBadRequest(() => resolve(value)).created);
    return ({ created }) => times.every((time) => created < time);
  },
  since(values, { resolve }) {
    const times = values.map((value) => asBadRequest(() => resolve(value)).created);
    return ({ created }) => times.every((time) => created > time);
  },
  volume:
    (values) =>
    ({ mounts }) =>
      values.some((value) =>
        mounts.some(({ name, destination, source }) => [name, destination, source].includes(value)),
      ),
  network:
    (values, { networksOf }) =>
    (container) => {
      const { names, ids } = networksOf(container);
      return values.some((value) => names.includes(value) || ids.some((id) => id.startsWith(value)));
    },
  publish(values) {
    const ranges = values.map((value) => parsePorts('publish', value));
    return ({ portRequests }) =>
      portRequests.some(({ hostPort, protocol }) => ranges.some((range) => holds(range, hostPort, protocol)));
  },
  expose(values) {
    const ranges = values.map((value) => parsePorts('expose', value));
    return ({ config }) =>
      config.exposedPorts.some((exposed) => {
        const [port, protocol = 'tcp'] = exposed.split('/');
        return ranges.some((range) => holds(range, Number(port), protocol));
      });
  },
  health(values) {
    for (const value of values) requireOneOf('health', 'health', HEALTHS, value);
    return ({ state }) => values.includes(healthOf(state));
  },
  'is-task'(values) {
    const isTask = values.some((value) => value === 'true' || value === '1');
    const isNone = values.some((value) => value === 'false' || value === '0');
    if (isTask === isNone) throw invalidFilter('is-task', `[${values.join(' ')}]`);
    return () => isNone;
  },
  // Every isolation is the default one on Linux.
  isolation: () => () => true,
};

/** Whether a text is one of the values, or found by one. Source: moby `api/types/filters`. */
function matcherOf(values: readonly string[]): (text: string) => boolean {
  const patterns = values.map(tolerantGoRegexp);
  return (text) => values.includes(text) || patterns.some((pattern) => pattern.test(text));
}

function requireOneOf(key: string, what: string, allowed: readonly string[], value: string): void {
  if (allowed.includes(value)) return;
  throw invalidArgument(
    `invalid filter '${key}=${value}': invalid value for ${what} (${value}): must be one of ${allowed.join(', ')}`,
  );
}

function parseCode(value: string): number {
  if (/^[+-]?\d+$/.test(value)) return Number(value);
  throw invalidArgument(
    `invalid filter 'exited=${value}': strconv.Atoi: parsing ${JSON.stringify(value)}: invalid syntax`,
  );
}

interface PortRange {
  readonly first: number;
  readonly last: number;
  readonly protocol: string;
}

function parsePorts(key: 'publish' | 'expose', value: string): PortRange {
  if (value.includes(':')) {
    throw invalidArgument(`filter for '${key}' should not contain ':': ${value}`);
  }
  const [numbers = '', protocol] = value.split('/');
  const [start = '', end = start] = numbers.split('-');
  const wrong = (why: string) => invalidArgument(`error while looking up for ${key} ${value}: ${why}`);
  if (!isPort(start)) throw wrong(`invalid start port '${start}': invalid syntax`);
  if (!isPort(end)) throw wrong(`invalid end port '${end}': invalid syntax`);
  if (Number(end) < Number(start)) throw wrong(`invalid port range: ${value}`);
  return { first: Number(start), last: Number(end), protocol: (protocol || 'tcp').toLowerCase() };
}

const isPort = (text: string): boolean => /^\d+$/.test(text) && Number(text) <= 0xffff;

const holds = ({ first, last, protocol }: PortRange, port: number | undefined, of: string): boolean =>
  port !== undefined && port >= first && port <= last && of === protocol;

function healthOf(state: ContainerState): string {
  return ('health' in state ? state.health?.status : undefined) ?? 'none';
}

/** "Not found" is the answer for a list that is not there; here the request is wrong. */
function asBadRequest<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isNotFound(error)) throw invalidArgument(errorMessage(error), { cause: error });
    throw error;
  }
}

/** A predicate for all filters. @throws `invalid_argument` with docker's texts for unknown ones and wrong values. */
export function containerMatcher(given: ContainerFilters, context: FilterContext): Matches {
  const tests = Object.entries(given).map(([key, values]): Matches => {
    const prepare = ownValue(filters, key);
    if (!prepare) throw invalidFilter(key);
    return values.length === 0 ? () => true : prepare(values, context);
  });
  return (container) => tests.every((matches) => matches(container));
}
