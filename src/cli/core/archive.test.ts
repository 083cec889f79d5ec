import { describe, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runForTest } from '../testing/index.ts';
import type { SignalSource } from './context.ts';

async function* archive(): AsyncIterableIterator<Uint8Array> {
  yield new TextEncoder().encode('tar');
}
const calls = {
  containers: { export: async () => archive() as never },
  images: { save: async () => archive() as never },
};

/** A directory of its own, deleted in the end. */
function scratch() {
  const path = mkdtempSync(join(tmpdir(), 'gantry-archive-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

describe.each([
  ['save', 'failed to save image'],
  ['export', 'failed to export container'],
])('%s -o', (command, failure) => {
  test.each([
    ['/dev/full', 'cannot write to a character device file'],
    ['/tmp', 'cannot write to a directory'],
    ['/no-such-directory/x.tar', 'invalid output path: stat /no-such-directory: no such file or directory'],
    ['/dev/null/x.tar', 'invalid output path: stat /dev/null: not a directory'],
  ])('%s is refused', async (path, why) => {
    const run = await runForTest([command, '-o', path, 'x'], { calls });
    expect(run).toEqual({ exitCode: 1, stdout: '', stderr: `${failure}: ${why}\n` });
  });

  test.each([
    ['pipe', 'cannot write to a named pipe (FIFO)'],
    ['link', 'cannot write to a symbolic link directly'],
    ['dangling', 'cannot write to a symbolic link directly'],
    ['to-directory', 'cannot write to a symbolic link directly'],
    ['socket', 'cannot write to a socket'],
  ])('a %s is refused, and stays', async (name, why) => {
    using folder = scratch();
    const at = (file: string) => join(folder.path, file);
    Bun.spawnSync(['mkfifo', at('pipe')]);
    await Bun.write(at('file'), 'old');
    symlinkSync('file', at('link'));
    symlinkSync('nowhere', at('dangling'));
    symlinkSync('.', at('to-directory'));
    await using listener = createServer();
    await new Promise<void>((resolve) => listener.listen(at('socket'), resolve));
    const before = readdirSync(folder.path);
    const run = await runForTest([command, '-o', at(name), 'x'], { calls });
    expect(run).toEqual({ exitCode: 1, stdout: '', stderr: `${failure}: ${why}\n` });
    expect(readdirSync(folder.path)).toEqual(before);
    expect(await Bun.file(at('file')).text()).toBe('old');
  });

  test('a file is replaced', async () => {
    using folder = scratch();
    const path = join(folder.path, 'file');
    await Bun.write(path, 'something longer');
    expect(await runForTest([command, '-o', path, 'x'], { calls })).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: '',
    });
    expect(await Bun.file(path).text()).toBe('tar');
    expect(readdirSync(folder.path)).toEqual(['file']);
  });

  test.each([
    ['SIGINT', 130, 'before the first byte'],
    ['SIGTERM', 143, 'before the first byte'],
    ['SIGINT', 130, 'in the middle'],
    ['SIGTERM', 143, 'in the middle'],
  ])('%s ends with %i and leaves nothing half-made: %s', async (signal, exitCode, when) => {
    using folder = scratch();
    const listeners = new Set<(signal: string) => void>();
    const signals: SignalSource = {
      on(_, listener) {
        listeners.add(listener);
        return { [Symbol.dispose]: () => void listeners.delete(listener) };
      },
    };
    async function* endless(): AsyncIterableIterator<Uint8Array> {
      if (when === 'in the middle') yield* archive();
      expect(readdirSync(folder.path)).toHaveLength(1);
      for (const listener of listeners) listener(signal);
      await new Promise<never>(() => {});
    }
    const open = async () => endless() as never;
    const run = await runForTest([command, '-o', join(folder.path, 'file'), 'x'], {
      calls: { containers: { export: open }, images: { save: open } },
      signals,
    });
    expect(run).toEqual({ exitCode, stdout: '', stderr: '' });
    expect(readdirSync(folder.path)).toEqual([]);
  });
});
