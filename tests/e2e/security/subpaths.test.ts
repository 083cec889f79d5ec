import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { gantryClient as gantry } from '../../harness/programs.ts';

const engine = useEngine();
const SECRET = randomUUID();
const volume = uniqueName('subpaths');
let canary = '';
beforeAll(async () => {
  canary = mkdtempSync(join(tmpdir(), 'gantry-test-canary-'));
  writeFileSync(join(canary, 'secret'), SECRET);
  const fill = `mkdir -p /v/sub /v/links; echo inside > /v/sub/secret
    ln -s ../sub /v/links/good; ln -s ${canary} /v/links/out; ln -s out /v/links/twice; ln -s ../../.. /v/links/up`;
  await engine.must(gantry, ['run', '--rm', '-v', `${volume}:/v`, 'busybox', 'sh', '-c', fill]);
});
afterAll(() => rmSync(canary, { recursive: true, force: true }));

const readPart = (subpath: string) => {
  const mount = `type=volume,src=${volume},dst=/m,volume-subpath=${subpath}`;
  return engine.run(gantry, ['run', '--rm', '--mount', mount, 'busybox', 'cat', '/m/secret']);
};

describe('a part of a volume whose links a container has made', () => {
  test.each(['sub', 'links/good'])('%s: inside', async (subpath) => {
    expect(await readPart(subpath)).toMatchObject({ code: 0, stdout: 'inside\n' });
  });

  test.each(['links/out', 'links/twice', 'links/up'])('%s: refused', async (subpath) => {
    const { code, stderr } = await readPart(subpath);
    expect(code).toBe(125);
    expect(stderr).toContain('path concatenation escapes the base directory');
  });

  test('missing', async () => {
    const { code, stderr } = await readPart('links/none');
    expect(code).toBe(127);
    expect(stderr).toMatch(/cannot access path .*\/links\/none: lstat .*: no such file or directory/);
  });

  test('a directory that turns into a link to the host and back is never mounted from the host', async () => {
    const name = uniqueName('flipper');
    const flip = `cd /v; while :; do
      mkdir d; echo inside > d/secret; touch /v/ready; rm -rf d; ln -s ${canary} d; rm -f d
    done`;
    await engine.must(gantry, [
      'run',
      '-d',
      '--name',
      name,
      '-v',
      `${volume}:/v`,
      'busybox',
      'sh',
      '-c',
      flip,
    ]);
    engine.defer(() => engine.must(gantry, ['rm', '-f', name]));
    await eventually(
      'the race',
      async () => (await engine.run(gantry, ['exec', name, 'test', '-e', '/v/ready'])).code === 0,
    );
    const said: string[] = [];
    for (let turn = 0; turn < 80; turn += 1) {
      const { stdout, stderr } = await readPart('d');
      expect(stdout).not.toContain(SECRET);
      said.push(stderr);
    }
    // The race was one: links were met at least now and then.
    expect(said.some((text) => text.includes('escapes the base directory'))).toBe(true);
  }, 120_000);
});
