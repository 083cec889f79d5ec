import { beforeEach, expect, test } from 'bun:test';
import { createMemoryMetadataStore } from '#store/testing';
import { decodeContainer } from './decode.ts';
import type { ContainerId } from './model.ts';
import { Registry } from './registry.ts';
import { containerFixture } from './testing/index.ts';

const rows = createMemoryMetadataStore().collection('containers', decodeContainer);
let registry: Registry;
const a = containerFixture({ id: 'aa11'.padEnd(64, '0') as ContainerId, name: 'alpha' });
const b = containerFixture({ id: 'aa22'.padEnd(64, '0') as ContainerId, name: 'aa1' });

beforeEach(() => {
  for (const [key] of rows.entries()) rows.delete(key);
  registry = new Registry(rows);
  registry.save(a);
  registry.save(b);
});

test('Registry.resolve: full ID, name with and without slash, unique prefix', () => {
  for (const ref of [a.id, 'alpha', '/alpha', 'aa11']) expect(registry.resolve(ref)).toBe(a);
});

test('Registry.resolve: a name wins over an ID prefix', () => {
  expect(registry.resolve('aa1')).toBe(b);
});

test('Registry.resolve: docker’s texts', () => {
  expect(() => registry.resolve('nope')).toThrow('No such container: nope');
  expect(() => registry.resolve('aa')).toThrow('multiple IDs found with provided prefix: aa');
  expect(() => registry.resolve('')).toThrow('invalid name or ID supplied: ""');
});

test('Registry.reserveName: refuses a taken name, gives an unused reservation back', () => {
  const id = 'c'.repeat(64) as ContainerId;
  expect(() => registry.reserveName('alpha', id)).toThrow(
    `Conflict. The container name "/alpha" is already in use by container "${a.id}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
  registry.reserveName('gamma', id)[Symbol.dispose]();
  const kept = registry.reserveName('gamma', id);
  kept.keep();
  kept[Symbol.dispose]();
  expect(registry.isNameTaken('gamma')).toBe(true);
});

test('Registry: a rename frees the old name, a new registry reads the same rows', () => {
  registry.save({ ...a, name: 'omega' });
  expect(registry.isNameTaken('alpha')).toBe(false);
  const successor = new Registry(rows);
  expect(successor.resolve('omega').id).toBe(a.id);
  successor.delete(a.id);
  expect(new Registry(rows).all()).toEqual([b]);
});

test('decodeContainer: refuses rows without identity or state', () => {
  expect(decodeContainer(a)).toBe(a);
  expect(() => decodeContainer({ ...a, id: 'x' })).toThrow('no usable id');
  expect(() => decodeContainer({ ...a, state: { status: 'odd' } })).toThrow('no usable state');
  expect(() => decodeContainer({ ...a, state: { status: 'removing' } })).toThrow('no usable state');
  expect(() => decodeContainer({ ...a, hostConfig: null })).toThrow('no usable hostConfig');
});
