import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_HOST } from '#api';
import { parseFlags } from '../flags/parse.ts';
import type { GlobalOptions } from './context.ts';
import { chooseHost } from './engine-host.ts';
import { GLOBAL_FLAGS, toGlobalOptions } from './globals.ts';

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

  describe('TLS', () => {
    const tls = { enabled: true, verify: true, caFile: '', certFile: '', keyFile: '' };
    const place = (configDir: string) => ({ hosts: ['tcp://h'], configDir });
    const CA = '-----BEGIN CERTIFICATE-----';

    test('material comes from the named files, DOCKER_CERT_PATH, or the directory that has some', async () => {
      await Bun.write(join(dir, 'certs/ca.pem'), CA);
      const wanted = { verify: true, ca: CA };
      expect((await choose({ ...place(join(dir, 'certs')), tls })).tls).toEqual(wanted);
      const env = { DOCKER_CERT_PATH: join(dir, 'certs') };
      expect((await choose({ ...place('/nope'), tls }, env)).tls).toEqual(wanted);
      const dirs = { GANTRY_CONFIG: '/nope', DOCKER_CONFIG: join(dir, 'certs') };
      expect((await choose({ hosts: ['tcp://h'], configDir: '', tls }, dirs)).tls).toEqual(wanted);
      const named = { ...tls, caFile: join(dir, 'certs/ca.pem') };
      expect((await choose({ ...place('/nope'), tls: named })).tls).toEqual(wanted);
    });

    test('to verify needs a CA, a named file must be there; without verifying none is needed', async () => {
      await expect(choose({ ...place('/nope'), tls })).rejects.toThrow(
        'unable to resolve gantry endpoint: open /nope/ca.pem: no such file or directory',
      );
      const unverified = { ...tls, verify: false };
      expect((await choose({ ...place('/nope'), tls: unverified })).tls).toEqual({ verify: false });
      await expect(
        choose({ ...place('/nope'), tls: { ...unverified, keyFile: '/nope/key' } }),
      ).rejects.toThrow('open /nope/key: no such file or directory');
    });

    test('what is no certificate is refused before anybody is asked', async () => {
      await Bun.write(join(dir, 'broken/ca.pem'), 'rubbish');
      await expect(choose({ ...place(join(dir, 'broken')), tls })).rejects.toThrow('ca.pem seems invalid');
    });

    test.each([
      [[], {}, { enabled: false, verify: false }],
      [['--tls'], {}, { enabled: true, verify: false }],
      [['--tlsverify'], {}, { enabled: true, verify: true }],
      [['--tlsverify=false'], { DOCKER_TLS_VERIFY: '1' }, { enabled: true, verify: false }],
      [['--tls=false'], { DOCKER_TLS: '1' }, { enabled: false, verify: false }],
      [[], { DOCKER_TLS: '1' }, { enabled: true, verify: false }],
      [[], { DOCKER_TLS_VERIFY: '1' }, { enabled: true, verify: true }],
      [[], { DOCKER_TLS_VERIFY: '' }, { enabled: false, verify: false }],
    ])('%j with %j', (argv, env, expected) => {
      const { values, changed } = parseFlags(argv, GLOBAL_FLAGS);
      const options = toGlobalOptions(values as Parameters<typeof toGlobalOptions>[0], changed, env);
      expect(options.tls).toMatchObject(expected);
    });
  });
});
