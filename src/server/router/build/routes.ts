import { type Filters, requireFilterKeys } from '#api';
import { errorMessage, invalidArgument } from '#base';
import { badCacheDuration, notAByteCount, severalFilterValues } from '../../errors.ts';
import { filters, flag, optionalText } from '../../http/query.ts';
import { json } from '../../http/reply.ts';
import { isDuration } from '../prune-filters.ts';
import { type Call, type Route, route } from '../route.ts';

/** Fields of a cache record, and what else docker takes. */
const KEYS = [
  ...['description', 'id', 'inuse', 'label', 'label!', 'parent', 'private', 'shared', 'type'],
  ...['until', 'unused-for'],
];
const SIZES = ['keep-storage', 'reserved-space', 'max-used-space', 'min-free-space'] as const;

type Query = { all: boolean; filters: Filters } & {
  readonly [K in (typeof SIZES)[number]]: string | undefined;
};

/** Nothing is built here yet, so the cache is empty: requests are checked, and what they ask for is done. */
export function buildRoutes(): Route[] {
  return [
    route({
      name: 'BuildPrune',
      method: 'POST',
      path: '/build/prune',
      since: 31,
      summary: 'Empties the build cache. It is always empty: there is no builder yet.',
      params: {
        all: flag,
        filters,
        'keep-storage': optionalText,
        'reserved-space': optionalText,
        'max-used-space': optionalText,
        'min-free-space': optionalText,
      },
      handle: ({ query }: Call<Query, undefined>) => {
        for (const name of SIZES) checkSize(name, query[name]);
        checkFilters(query.filters);
        return json({ CachesDeleted: null, SpaceReclaimed: 0 });
      },
    }),
  ];
}

function checkSize(name: string, text: string | undefined): void {
  if (text !== undefined && !/^[+-]?\d+$/.test(text)) throw notAByteCount(name, text);
}

function checkFilters(given: Filters): void {
  try {
    requireFilterKeys(given, KEYS);
    for (const key of ['until', 'unused-for']) {
      const [text, ...more] = given[key] ?? [];
      if (more.length > 0) throw severalFilterValues();
      if (text !== undefined && !isDuration(text)) throw badCacheDuration(key, text);
    }
  } catch (error) {
    throw invalidArgument(`failed to prune build cache: ${errorMessage(error)}`, { cause: error });
  }
}
