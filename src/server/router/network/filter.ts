import { booleanFilter, type Filters, matchesLabels, requireFilterKeys } from '#api';
import type { Network } from '#network';

const KEYS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'];
const BUILT_IN = ['bridge', 'host', 'none'];

/**
 * The filters of `docker network ls`.
 * @throws `invalid_argument` for unknown keys.
 */
export function filterNetworks(
  networks: readonly Network[],
  filters: Filters,
  isUsed: (network: Network) => boolean,
): Network[] {
  requireFilterKeys(filters, KEYS);
  const dangling = booleanFilter(filters, 'dangling');
  return networks.filter(
    (network) =>
      anyOf(filters['driver'], (driver) => network.driver === driver) &&
      anyOf(filters['id'], (id) => network.id.includes(id)) &&
      anyOf(filters['name'], (name) => network.name.includes(name)) &&
      anyOf(filters['scope'], (scope) => scope === 'local') &&
      anyOf(filters['type'], (type) => type === (BUILT_IN.includes(network.name) ? 'builtin' : 'custom')) &&
      matchesLabels(network.labels, filters['label']) &&
      (dangling === undefined || dangling !== (BUILT_IN.includes(network.name) || isUsed(network))),
  );
}

const anyOf = (values: readonly string[] | undefined, holds: (value: string) => boolean): boolean =>
  values === undefined || values.length === 0 || values.some(holds);
