import { expect, test } from 'bun:test';
import { createSys } from './create-sys.ts';
import { selfTest } from './self-test.ts';
import { createFakeSys } from './testing/fake-sys.ts';

test('selfTest: what needs no privilege holds here', () => {
  const results = new Map(selfTest(createSys()).map((result) => [result.name, result]));
  for (const name of [
    'errno',
    'stat',
    'openat2',
    'statfs',
    'rlimit',
    'mounts',
    'fsopen',
    'pidfd',
    'netlink',
  ]) {
    expect(results.get(name)).toMatchObject({ name, ok: true });
  }
});

test('selfTest: reports what is wrong instead of throwing', () => {
  const results = selfTest(createFakeSys());
  const failed = results.filter((result) => !result.ok).map((result) => result.name);
  expect(failed).toContain('errno');
  expect(failed).toContain('nftables');
  expect(results.find((result) => result.name === 'errno')?.detail).toContain('expected EBADF');
});
