import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import {
  existsSync,
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
import { allClients, type Client, gantryClient } from '../../harness/programs.ts';

const engine = useEngine();
const directory = mkdtempSync(join(tmpdir(), 'gantry-e2e-copy-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

mkdirSync(join(directory, 'tree/sub'), { recursive: true });
writeFileSync(join(directory, 'tree/sub/file'), 'deep\n', { mode: 0o640 });
symlinkSync('sub/file', join(directory, 'tree/link'));
writeFileSync(join(directory, 'single'), 'single\n');

const container = uniqueName('files');
beforeAll(async () => {
  const flags = ['--tmpfs', '/scratch', '-v', '/volume'];
  await engine.must(gantryClient, ['run', '-d', '--name', container, ...flags, 'busybox', 'sleep', '10000']);
  engine.defer(() => engine.must(gantryClient, ['rm', '-f', '-v', container]));
}, 60_000);

const inside = (client: Client, script: string): Promise<string> =>
  engine.must(client, ['exec', container, 'sh', '-c', script]);

const local = (...parts: string[]): string => join(directory, ...parts);

describe.each(allClients())('$name cp', (client) => {
  const place = `/tmp/${client.name.replaceAll(/\W/g, '-')}`;
  const cp = (...args: string[]) => engine.must(client, ['cp', ...args]);

  test('into a container: file, tree, contents, new names, tmpfs and volume', async () => {
    await inside(client, `mkdir -p ${place}/in`);
    await cp(local('single'), `${container}:${place}/in`);
    await cp(local('single'), `${container}:${place}/renamed`);
    await cp(local('tree'), `${container}:${place}/in`);
    await cp(local('tree'), `${container}:${place}/new`);
    await cp(`${local('tree')}/.`, `${container}:${place}/in`);
    expect((await inside(client, `cd ${place} && find . | sort`)).split('\n')).toEqual([
      ...['.', './in', './in/link', './in/single', './in/sub', './in/sub/file'],
      ...['./in/tree', './in/tree/link', './in/tree/sub', './in/tree/sub/file'],
      ...['./new', './new/link', './new/sub', './new/sub/file', './renamed'],
    ]);
    expect(await inside(client, `readlink ${place}/new/link; stat -c %a ${place}/new/sub/file`)).toBe(
      'sub/file\n640',
    );
    await cp(local('single'), `${container}:/scratch/s`);
    await cp(local('single'), `${container}:/volume/v`);
    expect(await inside(client, 'cat /scratch/s /volume/v')).toBe('single\nsingle');
  });

  test('out of a container: file, tree, link followed, standard streams', async () => {
    await inside(client, `mkdir -p ${place}/out && echo data > ${place}/out/f && ln -sf f ${place}/out/l`);
    const to = local(uniqueName('out'));
    mkdirSync(to);
    await cp(`${container}:${place}/out`, to);
    await cp(`${container}:${place}/out/.`, join(to, 'contents'));
    await cp('-L', `${container}:${place}/out/l`, join(to, 'followed'));
    await cp(`${container}:${place}/out/l`, join(to, 'kept'));
    for (const name of ['out/f', 'contents/f', 'followed'])
      expect(readFileSync(join(to, name), 'utf8')).toBe('data\n');
    expect(readlinkSync(join(to, 'kept'))).toBe('f');
    const archive = await engine.run(client, ['cp', `${container}:${place}/out/f`, '-']);
    expect(archive.stdout).toContain('data\n');
    await engine.must(client, ['cp', '-', `${container}:${place}`], { stdin: archive.stdout });
    expect(await inside(client, `cat ${place}/f`)).toBe('data');
  });

  test('-a, and what is refused', async () => {
    await cp('-a', local('tree'), `${container}:${place}/archived`);
    expect(await inside(client, `stat -c %u:%g:%a ${place}/archived/sub/file`)).toBe('0:0:640');
    const cases: [string[], RegExp][] = [
      [[`${container}:/no-such-file`, directory], /no-such-file|No such container:path/],
      [['/no-such-file', `${container}:/tmp`], /no such file or directory/],
      [[local('tree'), `${container}:/etc/passwd`], /cannot copy directory/],
      [[local('single'), local('other')], /must specify at least one container source/],
      [[local('single'), 'no-such-container:/tmp'], /[Nn]o such container/],
      [['-', `${container}:/etc/passwd`], /must be a directory/],
    ];
    for (const [args, text] of cases) {
      const result = await engine.run(client, ['cp', ...args]);
      expect([args, result.code]).toEqual([args, 1]);
      expect(result.stderr).toMatch(text);
    }
  });

  test('out of and into a container that does not run; -L follows a link', async () => {
    const name = uniqueName('cpstop');
    const host = mkdtempSync(join(directory, 'work-'));
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
    const host = mkdtempSync(join(directory, 'work-'));
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
    const host = mkdtempSync(join(directory, 'work-'));
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

  test('a directory into a running container and out again, tmpfs and volume seen', async () => {
    const name = uniqueName('cp');
    const host = mkdtempSync(join(directory, 'work-'));
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

  test('diff and export show what was changed', async () => {
    const name = uniqueName('diff');
    await engine.must(client, [
      'run',
      '--name',
      name,
      'busybox',
      'sh',
      '-c',
      'echo new > /new; rm /etc/group',
    ]);
    const changes = (await engine.must(client, ['diff', name])).split('\n');
    for (const line of ['A /new', 'C /etc', 'D /etc/group']) expect(changes).toContain(line);
    const archive = local(`${name}.tar`);
    await engine.must(client, ['export', '-o', archive, name]);
    const listed = Bun.spawnSync(['tar', '-tf', archive]).stdout.toString().split('\n');
    expect(listed).toContain('new');
    expect(listed).not.toContain('etc/group');
    await engine.must(client, ['rm', name]);
  });
});

describe('gantry cp beyond docker', () => {
  const cp = (...args: string[]) => engine.must(gantryClient, ['cp', ...args]);

  test('from container to container, with another owner', async () => {
    const other = uniqueName('other');
    await engine.must(gantryClient, ['create', '--name', other, 'busybox']);
    await cp(`${container}:/etc/passwd`, `${other}:/tmp`);
    await cp('--chown', '12:34', local('tree'), `${other}:/opt`);
    const back = local(uniqueName('back'));
    await cp('-a', `${other}:/opt`, back);
    expect(statSync(join(back, 'sub/file'))).toMatchObject({ uid: 12, gid: 34 });
    await cp(`${other}:/tmp/passwd`, back);
    expect(readFileSync(join(back, 'passwd'), 'utf8')).toContain('root');
    await engine.must(gantryClient, ['rm', other]);
  });

  test('a link that a container made in the tree is never followed on this machine', async () => {
    const to = local(uniqueName('safe'));
    mkdirSync(to);
    const script = `mkdir -p /evil && ln -sfn ${to}/outside /evil/way && ln -sfn /evil/way /evil2`;
    await engine.must(gantryClient, ['exec', container, 'sh', '-c', script]);
    await cp(`${container}:/evil/.`, join(to, 'copy'));
    expect(readlinkSync(join(to, 'copy/way'))).toBe(`${to}/outside`);
    // The same names again, now with a directory where the link was.
    await engine.must(gantryClient, [
      'exec',
      container,
      'sh',
      '-c',
      'rm /evil/way; mkdir /evil/way; touch /evil/way/x',
    ]);
    const second = await engine.run(gantryClient, ['cp', `${container}:/evil/.`, join(to, 'copy')]);
    expect(second.code).toBe(1);
    expect(existsSync(join(to, 'outside'))).toBe(false);
  });
});
