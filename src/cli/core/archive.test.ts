import { describe, expect, test } from 'bun:test';
import { runForTest } from '../testing/index.ts';

async function* archive(): AsyncIterableIterator<Uint8Array> {
  yield new TextEncoder().encode('tar');
}
const calls = {
  containers: { export: async () => archive() as never },
  images: { save: async () => archive() as never },
};

describe.each([
  ['save', 'failed to save image'],
  ['export', 'failed to export container'],
])('%s -o', (command, failure) => {
  test.each([
    ['/dev/full', 'cannot write to a character device file'],
    ['/tmp', 'cannot write to a directory'],
    ['/no-such-directory/x.tar', 'invalid output path: stat /no-such-directory: no such file or directory'],
  ])('%s is refused', async (path, why) => {
    const run = await runForTest([command, '-o', path, 'x'], { calls });
    expect(run).toEqual({ exitCode: 1, stdout: '', stderr: `${failure}: ${why}\n` });
  });
});
