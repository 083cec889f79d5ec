import { afterAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runForTest } from '../testing/index.ts';
import { configDirs, loadConfig } from './config-file.ts';

const root = mkdtempSync(join(tmpdir(), 'gantry-cli-config-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A directory with this `config.json`. */
async function dirWith(text: string): Promise<string> {
  const dir = mkdtempSync(join(root, 'dir-'));
  await Bun.write(join(dir, 'config.json'), text);
  return dir;
}

async function load(...dirs: string[]) {
  const warnings: string[] = [];
  const config = await loadConfig(dirs, async (text) => void warnings.push(text));
  return { config, warnings };
}

describe('loadConfig', () => {
  test('keys of gantry hide those of docker; a missing or empty file is empty', async () => {
    const a = await dirWith('{"psFormat":"a"}');
    const b = await dirWith('{"psFormat":"b","detachKeys":"ctrl-x","currentContext":null}');
    const { config, warnings } = await load(
      a,
      b,
      await dirWith(''),
      await dirWith('null'),
      join(root, 'none'),
    );
    expect([config, warnings]).toEqual([{ psFormat: 'a', detachKeys: 'ctrl-x' }, []]);
    expect(configDirs({ configDir: '', env: { HOME: '/h' } })).toEqual(['/h/.gantry', '/h/.docker']);
  });

  test.each([
    ['{broken', 'JSON Parse error'],
    ['[]', 'not a JSON object'],
    ['"x"', 'not a JSON object'],
    ['{"psFormat":5}', 'psFormat has a value of the wrong type'],
    ['{"HttpHeaders":{"a":5}}', 'HttpHeaders has a value of the wrong type'],
    ['{"proxies":{"default":"x"}}', 'proxies has a value of the wrong type'],
    ['{"auths":[]}', 'auths has a value of the wrong type'],
  ])('%s is warned of and left out', async (text, why) => {
    const broken = await dirWith(text);
    const { config, warnings } = await load(broken, await dirWith('{"detachKeys":"ctrl-x"}'));
    expect(config).toEqual({ detachKeys: 'ctrl-x' });
    expect(warnings).toEqual([
      expect.stringContaining(`WARNING: Error parsing config file (${broken}/config.json): ${why}`),
    ]);
  });

  test('a directory in its place likewise', async () => {
    const dir = mkdtempSync(join(root, 'dir-'));
    mkdirSync(join(dir, 'config.json'));
    expect((await load(dir)).warnings).toEqual([
      `WARNING: Error loading config file: read ${dir}/config.json: is a directory`,
    ]);
  });

  test('a broken one keeps no command from its work, and is warned of once', async () => {
    const dir = await dirWith('{broken');
    const calls = { containers: { list: async () => [] } };
    const run = await runForTest(['--config', dir, 'ps', '--no-trunc'], { calls });
    expect([run.exitCode, run.stdout]).toEqual([0, expect.stringContaining('CONTAINER ID')]);
    expect(run.stderr.match(/WARNING/g)).toHaveLength(1);
  });
});
