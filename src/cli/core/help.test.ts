import { describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { expectGolden } from '../testing/golden.ts';
import { runForTest } from '../testing/index.ts';
import { COMMANDS, GROUPS } from './table.ts';

const golden = (name: string): string =>
  join(import.meta.dir, '../testdata/help', `${name.replaceAll(' ', '-')}.txt`);

describe('help', () => {
  test('of the program: `--help`, `help`, `-h` and nothing at all', async () => {
    const { stdout, exitCode } = await runForTest(['--help']);
    expect(exitCode).toBe(0);
    await expectGolden(golden('gantry'), stdout);
    for (const argv of [[], ['help'], ['-h']]) expect((await runForTest(argv)).stdout).toBe(stdout);
  });

  test.each(GROUPS.map(({ name }) => name))('of the group %s', async (name) => {
    const { stdout } = await runForTest([name, '--help']);
    await expectGolden(golden(name), stdout);
    // Without a verb the same text is a complaint.
    expect(await runForTest([name])).toEqual({ exitCode: 0, stdout: '', stderr: stdout });
    expect((await runForTest(['help', name])).stdout).toBe(stdout);
  });

  test.each(COMMANDS.filter(({ path }) => path !== 'daemon').map(({ path }) => path))(
    'of %s',
    async (path) => {
      const { stdout, exitCode } = await runForTest([...path.split(' '), '--help']);
      expect(exitCode).toBe(0);
      await expectGolden(golden(`command-${path}`), stdout);
    },
  );

  test('the usage line names the command as it was called', async () => {
    const usage = async (...argv: string[]) => (await runForTest([...argv, '--help'])).stdout.split('\n')[0];
    expect(await usage('ps')).toBe('Usage:  gantry ps [OPTIONS]');
    expect(await usage('container', 'list')).toBe('Usage:  gantry container list [OPTIONS]');
  });
});

describe('the command table', () => {
  test('every command loads, and no name is taken twice', async () => {
    const names = COMMANDS.flatMap(({ path, topLevel, aliases }) => [
      path,
      ...(topLevel ?? []),
      ...(aliases ?? []).map((alias) => `${path.split(' ')[0]} ${alias}`),
    ]);
    expect(new Set(names).size).toBe(names.length);
    for (const entry of COMMANDS) expect((await entry.load()).command.usage).toBeString();
  });
});
