import { invalidVolumeFilter } from './errors.ts';
import type { Volume, VolumeFilters } from './types.ts';

type Matches = (volume: Volume, isUsed: boolean) => boolean;

/** Reads the values once, even when there is no volume to compare: a mistake in them is always told. */
type Prepare = (values: readonly string[]) => Matches;

const filters: Readonly<Record<string, Prepare>> = {
  name: (values) => (volume) => values.some((value) => volume.name.includes(value)),
  driver: (values) => (volume) => values.includes(volume.driver),
  dangling(values) {
    const wanted = isTrue('dangling', values);
    return (_, isUsed) => wanted !== isUsed;
  },
  label: (values) => (volume) => values.every((value) => hasLabel(volume, value)),
  'label!': (values) => (volume) => !values.some((value) => hasLabel(volume, value)),
  all: () => () => true,
};

/** As docker reads a truth. @throws `invalid_argument` when the values say neither or both. */
function isTrue(filter: string, values: readonly string[]): boolean {
  const says = (...words: string[]) => values.some((value) => words.includes(value));
  const yes = says('true', '1');
  if (yes === says('false', '0')) throw invalidVolumeFilter(filter, values);
  return yes;
}

function hasLabel({ labels }: Volume, filter: string): boolean {
  const at = filter.indexOf('=');
  const key = at < 0 ? filter : filter.slice(0, at);
  if (!Object.hasOwn(labels, key)) return false;
  return at < 0 || labels[key] === filter.slice(at + 1);
}

/** A predicate for the filters. @throws `invalid_argument` for an unknown one, and for a value without meaning. */
export function volumeMatcher(wanted: VolumeFilters): Matches {
  const tests = Object.entries(wanted).map(([key, values]) => {
    const prepare = filters[key];
    if (!prepare) throw invalidVolumeFilter(key);
    return prepare(values);
  });
  return (volume, isUsed) => tests.every((matches) => matches(volume, isUsed));
}
