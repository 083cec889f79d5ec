import { expect, test } from 'bun:test';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAtLeast, RecursiveReadOnly } from './mount-options.ts';

test.each([
  ['crun version 1.8.1\n', true],
  ['1.3', false],
  ['2.0', true],
  ['0.21.1', false],
  ['', false],
])('isAtLeast: %j', (text, expected) => expect(isAtLeast(text, [1, 4])).toBe(expected));

test('RecursiveReadOnly: asks the runtime once, in the words each understands', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-rro-'));
  const program = (name: string, script: string) => {
    const path = join(directory, name);
    writeFileSync(path, `#!/bin/sh\necho called >> ${path}.calls\n${script}\n`);
    chmodSync(path, 0o755);
    return { path, args: [] };
  };
  try {
    const known = new RecursiveReadOnly('6.1.0-18-amd64');
    const crun = program('crun', 'echo crun version 1.8.1');
    const runc = program('runc', `[ "$1" = features ] && echo '{"mountOptions":["ro","rro"]}'`);
    const old = program('old', 'exit 1');
    expect(await known.whyNot('crun', crun)).toBeUndefined();
    expect(await known.whyNot('runc', runc)).toBeUndefined();
    expect(await known.whyNot('runc', runc)).toBeUndefined();
    expect(await Bun.file(`${runc.path}.calls`).text()).toBe('called\n');
    expect(await known.whyNot('old', old)).toBe('rro is not supported by runtime "old"');
    expect(await new RecursiveReadOnly('5.10.0').whyNot('crun', crun)).toContain('kernel is older than 5.12');
  } finally {
    rmSync(directory, { recursive: true });
  }
});
