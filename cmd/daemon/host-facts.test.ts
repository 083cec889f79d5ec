import { expect, test } from 'bun:test';
import { parseOsRelease, readHostFacts } from './host-facts.ts';

test('`parseOsRelease`: quoted, single-quoted and bare values; comments and junk are skipped', () => {
  const text = '# c\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\nX=\'y z\'\nnot a line\n';
  expect(parseOsRelease(text)).toEqual({
    PRETTY_NAME: 'Debian GNU/Linux 12 (bookworm)',
    ID: 'debian',
    X: 'y z',
  });
});

test('`readHostFacts`: a machine without os-release is still Linux', () => {
  const facts = readHostFacts(['/nonexistent']);
  expect(facts.operatingSystem).toBe('Linux');
  expect(facts.cpus).toBeGreaterThan(0);
  expect(facts.memoryBytes).toBeGreaterThan(1e6);
});
