import { describe, expect, test } from 'bun:test';
import { notFound } from '#base';
import { runForTest } from '../testing/index.ts';

const runHint = (name: string) => `Run 'gantry ${name} --help' for more information\n`;
const usage = (name: string, rest: string) => `Usage:  gantry ${name} ${rest}\n\n`;
const ROOT_USAGE = "Usage:  gantry [OPTIONS] COMMAND [ARG...]\n\nRun 'gantry --help' for more information\n";
const RUN_USAGE = usage('run', '[OPTIONS] IMAGE [COMMAND] [ARG...]');

describe('runCli: errors and exit codes as docker has them', () => {
  test.each<[string, number, string]>([
    ['foo', 1, "gantry: unknown command: gantry foo\n\nRun 'gantry --help' for more information\n"],
    [
      'system foo',
      1,
      `gantry: unknown command: gantry system foo\n\nUsage:  gantry system\n\n${runHint('system')}`,
    ],
    ['--foo', 125, `unknown flag: --foo\n\n${ROOT_USAGE}`],
    ['-H', 125, `flag needs an argument: 'H' in -H\n\n${ROOT_USAGE}`],
    [
      'run -m x b',
      125,
      `invalid argument "x" for "-m, --memory" flag: invalid size: 'x'\n\n${RUN_USAGE}${runHint('run')}`,
    ],
    [
      'run',
      1,
      `gantry: 'gantry run' requires at least 1 argument\n\n${RUN_USAGE}See 'gantry run --help' for more information\n`,
    ],
    ['ps x', 1, `gantry: 'gantry ps' accepts no arguments\n\n${usage('ps', '[OPTIONS]')}${runHint('ps')}`],
    [
      'rename a',
      1,
      `gantry: 'gantry rename' requires 2 arguments\n\n${usage('rename', 'CONTAINER NEW_NAME')}${runHint('rename')}`,
    ],
    [
      'images a b',
      1,
      `gantry: 'gantry images' requires at most 1 argument\n\n${usage('images', '[OPTIONS] [REPOSITORY[:TAG]]')}${runHint('images')}`,
    ],
    ['help foo', 1, 'unknown help topic: foo\n'],
  ])('%s', async (line, exitCode, stderr) => {
    expect(await runForTest(line.split(' '))).toEqual({ exitCode, stdout: '', stderr });
  });

  test("the daemon's error is printed as it is", async () => {
    const inspect = () => Promise.reject(notFound('Error response from daemon: No such container: x'));
    const run = await runForTest(['logs', 'x'], { calls: { containers: { inspect } } });
    expect(run).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'Error response from daemon: No such container: x\n',
    });
  });

  test('--version', async () => {
    expect((await runForTest(['--version'])).stdout).toMatch(/^Gantry version \d+\.\d+\.\d+/);
  });

  test('daemon gets its arguments untouched and gives the exit code', async () => {
    expect((await runForTest(['daemon', '--fail', '--help'])).exitCode).toBe(7);
    expect((await runForTest(['daemon', '-H', 'x'])).exitCode).toBe(0);
  });

  test('flags before daemon are refused: they would be ignored', async () => {
    expect(await runForTest(['-D', '-H', 'unix:///x', 'daemon', '--fail'])).toEqual({
      exitCode: 125,
      stdout: '',
      stderr:
        'gantry: flags of the daemon come after its name, not before: --debug --host\n\n' +
        "Run 'gantry daemon --help' for more information\n",
    });
  });

  test('several names: what works is printed, failures come together at the end', async () => {
    const stop = async (name: string) => {
      if (name !== 'ok') throw notFound(`no ${name}`);
    };
    const run = await runForTest(['stop', 'a', 'ok', 'b'], { calls: { containers: { stop } } });
    expect(run).toEqual({ exitCode: 1, stdout: 'ok\n', stderr: 'no a\nno b\n' });
  });
});
