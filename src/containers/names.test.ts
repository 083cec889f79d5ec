import { expect, test } from 'bun:test';
import { checkName, generateName } from './names.ts';

test('checkName: takes docker’s names, without the slash', () => {
  expect(checkName('/web')).toBe('web');
  expect(checkName('a1_.-Z')).toBe('a1_.-Z');
});

for (const bad of ['x', '_a', '-ab', 'a/b', 'a b', 'é1', '../x', 'a\n']) {
  test(`checkName: refuses ${JSON.stringify(bad)}`, () => {
    expect(() => checkName(bad)).toThrow(
      `Invalid container name (${bad}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  });
}

test('generateName: is a valid name and avoids taken ones', () => {
  const first = generateName(
    () => false,
    () => 0,
  );
  expect(checkName(first)).toBe(first);
  const taken = new Set([first, `${first}1`]);
  expect(
    generateName(
      (name) => taken.has(name),
      () => 0,
    ),
  ).toBe(`${first}2`);
});
