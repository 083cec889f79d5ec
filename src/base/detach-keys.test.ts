import { expect, test } from 'bun:test';
import { DetachDetector, parseDetachKeys } from './detach-keys.ts';

test('parseDetachKeys: docker’s notation', () => {
  expect([...parseDetachKeys('')]).toEqual([16, 17]);
  expect([...parseDetachKeys('a,A,ctrl-a,ctrl-@,ctrl-[,ctrl-\\,ctrl-_,ctrl-z,DEL')]).toEqual([
    97, 65, 1, 0, 27, 28, 31, 26, 127,
  ]);
});

test.each(['xx', 'ctrl-1', 'ctrl-', 'ctrl-Z', 'ctrl-aa', 'é', 'a,,b'])('parseDetachKeys: %j', (bad) => {
  const key = bad === 'a,,b' ? '' : bad;
  expect(() => parseDetachKeys(bad)).toThrow(`Unknown character: '${key}'`);
});

/** What comes out of the chunks; `!` marks the detaching one. */
function feedAll(keys: string, ...chunks: readonly string[]): string[] {
  const detector = new DetachDetector(parseDetachKeys(keys));
  return chunks.map((chunk) => {
    const { forward, detached } = detector.feed(Buffer.from(chunk, 'latin1'));
    return `${Buffer.from(forward).toString('latin1')}${detached ? '!' : ''}`;
  });
}

test.each([
  ['in one chunk', ['ab\x10\x11cd'], ['ab!']],
  ['over a border, the rest goes on', ['ab\x10', '\x11', 'cd'], ['ab', '!', 'cd']],
  ['a broken sequence is passed on', ['\x10', 'x\x11'], ['', '\x10x\x11']],
  ['begun twice', ['\x10\x10\x11'], ['\x10!']],
])('DetachDetector: the default keys %s', (_, chunks, expected) => {
  expect(feedAll('', ...chunks)).toEqual(expected);
});

test('DetachDetector: keys that repeat their own beginning', () => {
  expect(feedAll('a,a,b', 'aaab')).toEqual(['a!']);
  expect(feedAll('a,b,a,c', 'ababac')).toEqual(['ab!']);
  expect(feedAll('a,b,a,c', 'aba', 'x')).toEqual(['', 'abax']);
  expect(feedAll('a', 'xa')).toEqual(['x!']);
});
