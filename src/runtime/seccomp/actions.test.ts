import { expect, test } from 'bun:test';
import { actionValue, operatorValue } from './actions.ts';

test.each(['constructor', 'toString', '__proto__', ''])('%j is neither an action nor an operator', (name) => {
  expect(() => actionValue(name)).toThrow(`invalid seccomp action: ${name}`);
  expect(() => operatorValue(name)).toThrow(`invalid seccomp operator: ${name}`);
});
