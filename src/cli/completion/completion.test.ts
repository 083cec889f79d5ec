import { describe, expect, test } from 'bun:test';
import type { ContainerSummary, ImageSummary } from '#api';
import { runForTest } from '../testing/index.ts';

const calls = {
  containers: {
    list: async () =>
      [
        { Names: ['/web'], Image: 'nginx', State: 'running' },
        { Names: ['/db'], Image: 'postgres', State: 'exited' },
      ] as unknown as ContainerSummary[],
  },
  images: { list: async () => [{ RepoTags: ['busybox:latest'] }] as unknown as ImageSummary[] },
};

const complete = async (...words: string[]): Promise<string[]> => {
  const run = await runForTest(['__complete', ...words], { calls });
  expect([run.exitCode, run.stderr]).toEqual([0, '']);
  return run.stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0] ?? '']));
};

describe('__complete', () => {
  test.each<[string[], string[]]>([
    [['conta'], ['container']],
    [['container', 'pr'], ['prune']],
    [['-H', 'unix:///x', 'volume', 'l'], ['ls']],
    [
      ['stop', ''],
      ['web', 'db'],
    ],
    [['stop', '--timeout', '5', 'web', 'd'], ['db']],
    [['stop', '-t5', 'w'], ['web']],
    [
      ['run', '-it', '--name', 'x', 'bu'],
      ['busybox:latest', 'busybox'],
    ],
    [['run', 'busybox', '-'], []],
    [['run', '--name', ''], []],
    [['logs', '--ti'], ['--timestamps']],
    [['exec', 'web', ''], []],
    [['completion', 'b'], ['bash']],
    [['no-such-command', ''], []],
  ])('%j', async (words, expected) => {
    expect(await complete(...words)).toEqual(expected);
  });

  test('hidden commands are not offered, all others are', async () => {
    const words = await complete('');
    for (const word of ['run', 'ps', 'images', 'system', 'completion', 'version'])
      expect(words).toContain(word);
    expect(words).not.toContain('__complete');
  });
});

test('completion bash: the script completes in a real shell', async () => {
  const script = (await runForTest(['completion', 'bash'])).stdout;
  // A program of that name that answers what it was asked.
  const fake = 'gantry() { printf "%s\\tsummary\\n" "image:${*: -1}1" "image:two"; }';
  const line = 'gantry run image:';
  const shell = `${fake}\n${script}\nCOMP_LINE='${line}' COMP_POINT=${line.length}\n_gantry\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
  const result = Bun.spawnSync(['bash', '-c', shell]);
  expect(result.stdout.toString()).toBe('image:1\ntwo\n');
});

test('completion: another shell is refused', async () => {
  expect((await runForTest(['completion', 'tcsh'])).stderr).toBe(
    'unknown shell "tcsh": one of bash, zsh, fish\n',
  );
});
