import { expect, test } from 'bun:test';
import { parseEffectiveCapabilities } from './capabilities.ts';

test('parseEffectiveCapabilities: names the bits of CapEff alone', () => {
  const status =
    'Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t0000010000200001\nCapBnd:\t000001ffffffffff\n';
  expect(parseEffectiveCapabilities(status)).toEqual([
    'CAP_CHOWN',
    'CAP_SYS_ADMIN',
    'CAP_CHECKPOINT_RESTORE',
  ]);
  expect(parseEffectiveCapabilities('CapEff:\t0000000000000000\n')).toEqual([]);
  expect(parseEffectiveCapabilities('CapEff:\t000001ffffffffff\n')).toHaveLength(41);
});
