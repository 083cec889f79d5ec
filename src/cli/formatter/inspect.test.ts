import { describe, expect, test } from 'bun:test';
import { notFound } from '#base';
import type { FakeCalls } from '#client/testing';
import { runForTest } from '../testing/index.ts';

const missing = () => Promise.reject(notFound('Error response from daemon: no'));
const calls = {
  containers: { inspect: async (ref: string) => (ref === 'c' ? { Id: 'c', Size: 1, Empty: [] } : missing()) },
  images: { inspect: missing },
  networks: { inspect: async (ref: string) => (ref === 'n' ? { Id: 'n' } : missing()) },
  volumes: { inspect: missing },
} as unknown as FakeCalls;

describe('inspect', () => {
  test('finds any type, prints an array with four spaces, keeps what was found when something was not', async () => {
    const run = await runForTest(['inspect', 'c', 'nope', 'n'], { calls });
    expect(run.exitCode).toBe(1);
    expect(run.stdout).toBe(
      '[\n    {\n        "Id": "c",\n        "Size": 1,\n        "Empty": []\n    },\n    {\n        "Id": "n"\n    }\n]\n',
    );
    expect(run.stderr).toBe('Error: No such object: nope\n');
  });

  test('nothing found is an empty array', async () => {
    expect(await runForTest(['inspect', 'nope'], { calls })).toEqual({
      exitCode: 1,
      stdout: '[]\n',
      stderr: 'Error: No such object: nope\n',
    });
  });

  test('--format: a template for each, json, and its mistakes', async () => {
    const format = async (text: string) => await runForTest(['inspect', '-f', text, 'c', 'n'], { calls });
    expect((await format('{{.Id}}')).stdout).toBe('c\nn\n');
    expect((await format('json')).stdout).toBe('[{"Id":"c","Size":1,"Empty":[]},{"Id":"n"}]\n');
    const failure =
      'template parsing error: template: :1:2: executing "" at <.Foo>: map has no entry for key "Foo"\n';
    expect(await format('{{.Foo}}')).toEqual({ exitCode: 1, stdout: '\n', stderr: failure.repeat(2) });
    expect((await format('{{.Foo')).exitCode).toBe(64);
    expect((await format('{{.Foo')).stderr).toBe('template parsing error: template: :1: unclosed action\n');
  });

  test('--type: only that type, and its own error', async () => {
    const run = await runForTest(['inspect', '--type', 'network', 'c'], { calls });
    expect(run.stderr).toBe('Error response from daemon: no\n');
    expect((await runForTest(['inspect', '--type', 'foo', 'c'])).stderr).toStartWith(
      'unknown type: "foo": must be one of "config"',
    );
  });
});
