import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_HOST } from '#client';
import { configDirs, loadConfig } from './config-file.ts';
import type { GlobalOptions } from './context.ts';
import { chooseHost } from './engine-host.ts';

const dir = mkdtempSync(join(tmpdir(), 'gantry-cli-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const globals = (changes: Partial<GlobalOptions> = {}): GlobalOptions => ({
  hosts: [],
  context: '',
  debug: false,
  configDir: dir,
  tls: { enabled: false, verify: false, caFile: '', certFile: '', keyFile: '' },
  ...changes,
});
const choose = (changes: Partial<GlobalOptions>, env: Record<string, string> = {}) =>
  chooseHost(globals(changes), env, async () => ({}));

describe('chooseHost', () => {
  test('-H before GANTRY_HOST before DOCKER_HOST before the default', async () => {
    const env = { GANTRY_HOST: 'unix:///g', DOCKER_HOST: 'unix:///d' };
    expect((await choose({ hosts: ['tcp://h:1'] }, env)).url).toBe('tcp://h:1');
    expect((await choose({}, env)).url).toBe('unix:///g');
    expect((await choose({}, { DOCKER_HOST: 'unix:///d' })).url).toBe('unix:///d');
    expect((await choose({})).url).toBe(DEFAULT_HOST);
  });

  test('a bare host gets the scheme and ports that docker gives it', async () => {
    expect((await choose({ hosts: [':5'] })).url).toBe('tcp://localhost:5');
    expect((await choose({ hosts: ['h:5'] })).url).toBe('tcp://h:5');
    expect((await choose({ hosts: ['tcp://'] })).url).toBe('tcp://localhost:2375');
  });

  test('a context by name, also the current one; --context hides DOCKER_HOST', async () => {
    const id = new Bun.CryptoHasher('sha256').update('remote').digest('hex');
    const meta = { Name: 'remote', Endpoints: { docker: { Host: 'tcp://r:1' } } };
    await Bun.write(join(dir, `contexts/meta/${id}/meta.json`), JSON.stringify(meta));
    const named = await choose({ context: 'remote' }, { DOCKER_HOST: 'unix:///d' });
    expect(named).toMatchObject({ url: 'tcp://r:1', context: 'remote' });
    const current = await chooseHost(globals(), {}, async () => ({ currentContext: 'remote' }));
    expect(current.url).toBe('tcp://r:1');
    await expect(choose({ context: 'nope' })).rejects.toThrow(
      /context "nope": context not found: open .*\/meta\.json: no such file or directory/,
    );
  });

  test('two hosts are one too many, and so are host and context', async () => {
    await expect(choose({ hosts: ['a', 'b'] })).rejects.toThrow('Specify only one -H');
    await expect(choose({ hosts: ['a'], context: 'b' })).rejects.toThrow(
      'cannot specify both --host and --context',
    );
  });

  test('TLS material comes from the named files', async () => {
    await Bun.write(join(dir, 'ca.pem'), 'CA');
    const tls = { enabled: true, verify: true, caFile: '', certFile: '', keyFile: '' };
    expect((await choose({ hosts: ['tcp://h'], tls })).tls).toEqual({ verify: true, ca: 'CA' });
    const withKey = choose({ hosts: ['tcp://h'], tls: { ...tls, keyFile: '/nope' } });
    await expect(withKey).rejects.toThrow('could not read TLS material /nope');
  });
});

describe('loadConfig', () => {
  test('keys of gantry hide those of docker; a missing file is empty, a broken one an error', async () => {
    await Bun.write(join(dir, 'a/config.json'), '{"psFormat":"a"}');
    await Bun.write(join(dir, 'b/config.json'), '{"psFormat":"b","detachKeys":"ctrl-x"}');
    await Bun.write(join(dir, 'c/config.json'), '{');
    const merged = await loadConfig([join(dir, 'a'), join(dir, 'b'), join(dir, 'none')]);
    expect(merged).toEqual({ psFormat: 'a', detachKeys: 'ctrl-x' });
    await expect(loadConfig([join(dir, 'c')])).rejects.toThrow('parsing config file');
    expect(configDirs({ configDir: '', env: { HOME: '/h' } })).toEqual(['/h/.gantry', '/h/.docker']);
  });
});
