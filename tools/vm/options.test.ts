import { expect, test } from 'bun:test';
import { parseVmOptions } from './options.ts';

test('without arguments the oldest kernel runs the integration and end-to-end tests under AppArmor', () => {
  expect(parseVmOptions([])).toEqual({
    kernel: '6.1',
    lsm: 'apparmor',
    tests: ['tests/integration', 'tests/e2e'],
    command: undefined,
    limitS: 14_400,
  });
});

test('flags take their value with a space or an equals sign, the rest are paths', () => {
  const options = parseVmOptions(['--kernel=6.12', '--lsm', 'selinux', 'tests/e2e/run', '--limit', '60']);
  expect(options).toMatchObject({ kernel: '6.12', lsm: 'selinux', limitS: 60, tests: ['tests/e2e/run'] });
});

test('a shell text may hold equals signs and lines', () => {
  expect(parseVmOptions(['--command=a=1\nb=2']).command).toBe('a=1\nb=2');
});

test.each([
  [['--colour'], 'unknown flag --colour'],
  [['--kernel'], '--kernel needs a value'],
  [['--kernel', '5.10'], '--kernel is one of 6.1, 6.12, not 5.10'],
  [['--lsm', 'smack'], '--lsm is one of apparmor, selinux, none, not smack'],
  [['--limit', 'soon'], '--limit is a number of seconds, not soon'],
] as const)('%p is refused: %s', (args, reason) => {
  expect(() => parseVmOptions(args)).toThrow(reason);
});
