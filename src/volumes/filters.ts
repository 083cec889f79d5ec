import { invalidVolumeFilter } from './errors.ts';
import type { Volume, VolumeFilters } from './types.ts';

type Match = (volume: Volume, values: readonly string[], isUsed: boolean) => boolean;

const isTrue = (value: string) => value === 'true' || value === '1';

const matchers: Readonly<Record<string, Match>> = {
  name: (volume, values) => values.some((value) => volume.name.includes(value)),
  driver: (volume, values) => values.includes(volume.driver),
  dangling: (_, values, isUsed) => values.some((value) => isTrue(value) !== isUsed),
  label: (volume, values) => values.every((value) => hasLabel(volume, value)),
  'label!': (volume, values) => !values.some((value) => hasLabel(volume, value)),
  all: () => true,
};

function hasLabel({ labels }: Volume, filter: string): boolean {
  const at = filter.indexOf('=');
  const key = at < 0 ? filter : filter.slice(0, at);
  if (!Object.hasOwn(labels, key)) return false;
  return at < 0 || labels[key] === filter.slice(at + 1);
}

/** A predicate for the filters. @throws `invalid_argument` for an unknown one. */
export function volumeMatcher(filters: VolumeFilters): (volume: Volume, isUsed: boolean) => boolean {
  const tests = Object.entries(filters).map(([key, values]) => {
    const match = matchers[key];
    if (!match) throw invalidVolumeFilter(key);
    return (volume: Volume, isUsed: boolean) => match(volume, values, isUsed);
  });
  return (volume, isUsed) => tests.every((matches) => matches(volume, isUsed));
}
