import { hasLabel, ownValue } from '#base';
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
  label: (values) => (volume) => values.every((value) => hasLabel(volume.labels, value)),
  'label!': (values) => (volume) => !values.some((value) => hasLabel(volume.labels, value)),
  /** Of a prune, which looks at it itself. */
  all(values) {
    isTrue('all', values);
    return () => true;
  },
};

/** As docker reads a truth. @throws `invalid_argument` when the values say neither or both. */
function isTrue(filter: string, values: readonly string[]): boolean {
  const says = (...words: string[]) => values.some((value) => words.includes(value));
  const yes = says('true', '1');
  if (yes === says('false', '0')) throw invalidVolumeFilter(filter, values);
  return yes;
}

/** A predicate for the filters. @throws `invalid_argument` for an unknown one, and for a value without meaning. */
export function volumeMatcher(wanted: VolumeFilters): Matches {
  const tests = Object.entries(wanted).map(([key, values]) => {
    const prepare = ownValue(filters, key);
    if (!prepare) throw invalidVolumeFilter(key);
    return prepare(values);
  });
  return (volume, isUsed) => tests.every((matches) => matches(volume, isUsed));
}
