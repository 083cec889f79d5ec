import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine();
let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-test-cp-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe.each(allClients())('$name cp', (client) => {
  const work = () => mkdtempSync(join(dir, 'work-'));

  test('a directory into a running container and out again, tmpfs and volume seen', async () => {
    const name = uniqueName('cp');
    const host = work();
    mkdirSync(join(host, 'tree/sub'), { recursive: true });
    writeFileSync(join(host, 'tree/sub/file'), 'content\n', { mode: 0o750 });
    symlinkSync('sub/file', join(host, 'tree/link'));
    const flags = ['--tmpfs', '/scratch', '-v', '/volume'];
    await engine.must(client, ['run', '-d', '--name', name, ...flags, 'busybox', 'sleep', '1000']);
    for (const place of ['/', '/scratch', '/volume']) {
      await engine.must(client, ['cp', join(host, 'tree'), `${name}:${place}`]);
      const seen = await engine.must(client, ['exec', name, 'cat', join(place, 'tree/link')]);
      expect(seen).toBe('content');
      const back = mkdtempSync(join(host, 'back-'));
      await engine.must(client, ['cp', join(`${name}:${place}`, 'tree'), back]);
      expect(readFileSync(join(back, 'tree/sub/file'), 'utf8')).toBe('content\n');
      expect(readlinkSync(join(back, 'tree/link'))).toBe('sub/file');
      expect(statSync(join(back, 'tree/sub/file')).mode & 0o777).toBe(0o750);
    }
    await engine.must(client, ['rm', '-f', '-v', name]);
  });

  test('out of and into a container that does not run; -L follows a link', async () => {
    const name = uniqueName('cpstop');
    const host = work();
    await engine.must(client, ['create', '--name', name, '-v', '/volume', 'busybox']);
    writeFileSync(join(host, 'in'), 'into\n');
    await engine.must(client, ['cp', join(host, 'in'), `${name}:/volume/renamed`]);
    await engine.must(client, ['cp', `${name}:/volume/renamed`, join(host, 'out')]);
    expect(readFileSync(join(host, 'out'), 'utf8')).toBe('into\n');
    symlinkSync('in', join(host, 'link'));
    await engine.must(client, ['cp', '-L', join(host, 'link'), `${name}:/tmp`]);
    await engine.must(client, ['cp', `${name}:/tmp/link`, join(host, 'followed')]);
    expect(statSync(join(host, 'followed')).size).toBe(5);
    await engine.must(client, ['start', name]);
    await engine.must(client, ['rm', '-f', '-v', name]);
  });

  test('standard streams carry a tar', async () => {
    const name = uniqueName('cptar');
    const host = work();
    await engine.must(client, ['create', '--name', name, 'busybox']);
    writeFileSync(join(host, 'a'), 'x'.repeat(300_000));
    const tar = Bun.spawnSync(['tar', 'c', '-C', host, 'a']).stdout;
    const sent = await engine.run(client, ['cp', '-', `${name}:/tmp`], { stdin: tar });
    expect(sent).toMatchObject({ code: 0 });
    const { stdout } = await engine.run(client, ['cp', `${name}:/tmp/a`, '-']);
    expect(stdout.slice(0, 1)).toBe('a');
    expect(stdout).toContain('x'.repeat(300_000));
    await engine.must(client, ['rm', name]);
  });

  test('what is missing, and what is no directory', async () => {
    const name = uniqueName('cpmiss');
    const host = work();
    await engine.must(client, ['create', '--name', name, 'busybox']);
    const missing = await engine.run(client, ['cp', `${name}:/nothing`, host]);
    expect([missing.code, missing.stderr]).toEqual([
      1,
      // Debian's client has words of its own.
      expect.stringMatching(
        new RegExp(
          `Could not find the file /nothing in container ${name}|No such container:path: ${name}:/nothing`,
        ),
      ),
    ]);
    writeFileSync(join(host, 'a'), '');
    const nowhere = await engine.run(client, ['cp', join(host, 'a'), `${name}:/no/such/place/`]);
    expect(nowhere.code).toBe(1);
    await engine.must(client, ['rm', name]);
  });
});
