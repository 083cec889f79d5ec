import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine();
let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-test-image-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A root file system tar with one file and nothing else. */
function rootfsTar(content: string): string {
  const root = join(dir, uniqueName('rootfs'));
  mkdirSync(join(root, 'data'), { recursive: true });
  writeFileSync(join(root, 'data/file'), content);
  Bun.spawnSync(['tar', '-C', root, '-cf', `${root}.tar`, '.']);
  return `${root}.tar`;
}

describe.each(allClients())('$name image', (client) => {
  test('images, tag, inspect, history, rmi', async () => {
    const tag = `${uniqueName('tag')}:v1`;
    await engine.must(client, ['tag', 'busybox', tag]);
    expect(await engine.must(client, ['images', '--format', '{{.Repository}}:{{.Tag}}', tag])).toBe(tag);
    expect(await engine.must(client, ['image', 'inspect', '-f', '{{.Os}}/{{.Architecture}}', tag])).toMatch(
      /^linux\/\w+$/,
    );
    expect((await engine.must(client, ['history', '-q', '--no-trunc', tag])).split('\n')[0]).toMatch(
      /^sha256:[0-9a-f]{64}$/,
    );
    expect(await engine.must(client, ['rmi', tag])).toBe(`Untagged: ${tag}`);
    expect(await engine.must(client, ['images', '-q', tag])).toBe('');
  });

  test('import: a tar becomes an image with the changes applied', async () => {
    const name = uniqueName('imported');
    const tar = rootfsTar('imported\n');
    const id = await engine.must(client, [
      'import',
      '-c',
      'ENV A=b',
      '-c',
      'LABEL x=y',
      '-m',
      'note',
      tar,
      name,
    ]);
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(
      await engine.must(client, ['inspect', '-f', '{{.Config.Env}} {{.Config.Labels.x}} {{.Comment}}', name]),
    ).toBe('[A=b] y note');
    await engine.must(client, ['rmi', name]);
  });

  test('save | load: the same image comes back', async () => {
    const name = uniqueName('saved');
    const archive = join(dir, `${name}.tar`);
    const id = await engine.must(client, ['import', rootfsTar(`saved by ${client.name}\n`), name]);
    await engine.must(client, ['save', '-o', archive, name]);
    await engine.must(client, ['rmi', name]);
    expect(await engine.must(client, ['load', '-i', archive])).toContain(`Loaded image: ${name}:latest`);
    expect(await engine.must(client, ['inspect', '-f', '{{.Id}}', name])).toBe(id);
    await engine.must(client, ['rmi', name]);
    const loaded = await engine.run(client, ['load'], { stdin: readFileSync(archive) });
    expect(loaded.stdout).toContain(`Loaded image: ${name}:latest`);
    await engine.must(client, ['rmi', name]);
  });

  test('prune: `label!` keeps what has the label', async () => {
    const [kept, pruned, mark] = [uniqueName('kept'), uniqueName('pruned'), uniqueName('mark')];
    await engine.must(client, ['import', '-c', `LABEL ${mark}=1 keep=1`, rootfsTar(`${kept}\n`), kept]);
    await engine.must(client, ['import', '-c', `LABEL ${mark}=1`, rootfsTar(`${pruned}\n`), pruned]);
    const filters = ['--filter', `label=${mark}`, '--filter', 'label!=keep'];
    await engine.must(client, ['image', 'prune', '-af', ...filters]);
    expect(await engine.must(client, ['images', '-q', pruned])).toBe('');
    expect(await engine.must(client, ['images', '-q', kept])).not.toBe('');
    await engine.must(client, ['rmi', kept]);
  });

  test('an image in use is not removed', async () => {
    const name = uniqueName('used');
    await engine.must(client, ['import', rootfsTar('used\n'), name]);
    const container = await engine.must(client, ['create', name, '/data/file']);
    const result = await engine.run(client, ['rmi', name]);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/unable to (remove|delete).*(must force|must be forced|cannot be forced)/);
    await engine.must(client, ['rm', container]);
    await engine.must(client, ['rmi', name]);
  });

  test('a broken archive is refused and leaves no image', async () => {
    const before = await engine.must(client, ['images', '-aq']);
    const load = await engine.run(client, ['load'], { stdin: 'this is not a tar archive'.repeat(100) });
    expect(load.code).toBe(1);
    const cut = readFileSync(rootfsTar('x'.repeat(100_000))).subarray(0, 50_000);
    const imported = await engine.run(client, ['import', '-', uniqueName('cut')], { stdin: cut });
    expect(imported.code).toBe(1);
    expect(await engine.must(client, ['images', '-aq'])).toBe(before);
  });

  test('an image that is not there', async () => {
    const result = await engine.run(client, ['image', 'inspect', 'no-such-image']);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/No such image: no-such-image/);
  });
});
