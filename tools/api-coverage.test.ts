import { expect, test } from 'bun:test';
import type { Route } from '#server';
import { coveragePage, coverObjects, coverOperations } from './api-coverage.ts';

const decoder = (goType: string, extra: object = {}) => ({ goType, decode: () => undefined, ...extra });
const inner = decoder('Inner', { struct: { name: 'Inner', fields: { A: decoder('string') } } });
const body = decoder('Outer', {
  struct: { name: 'Outer', fields: { List: decoder('[]Inner', { item: inner }) } },
});
const routes = [
  { method: 'POST', path: '/things/{name}', params: { size: {} }, body: { kind: 'json', decoder: body } },
] as unknown as Route[];
const facts = {
  version: '1.0',
  operations: [
    { method: 'POST', path: '/things/{id}', query: ['size', 'color'] },
    { method: 'GET', path: '/info', query: [] },
  ],
  objects: { Inner: ['A', 'B'], Unknown: ['X'] },
};

test('`coverOperations`: holes in routes and in their parameters are found', () => {
  expect(coverOperations(facts, routes)).toEqual([
    { group: 'things', what: 'POST /things/{id}', isThere: true, missing: ['color'] },
    { group: 'system', what: 'GET /info', isThere: false, missing: [] },
  ]);
});

test('`coverObjects`: structs inside lists are found, missing fields named', () => {
  expect(coverObjects(facts, routes)).toEqual([
    { group: 'objects', what: 'Inner', isThere: true, missing: ['B'] },
    { group: 'objects', what: 'Unknown', isThere: false, missing: [] },
  ]);
});

test('`coveragePage`: counts by group and names every hole', () => {
  const page = coveragePage(facts, [...coverOperations(facts, routes), ...coverObjects(facts, routes)]);
  expect(page).toContain('| things | 1 | 0 | 1 |');
  expect(page).toContain('| `GET /info` | missing |');
  expect(page).toContain('| `Inner` | not read: B |');
});
