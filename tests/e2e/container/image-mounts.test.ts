import { beforeAll, describe, expect, test } from 'bun:test';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { callApi } from '../../harness/api.ts';
import { givenHost } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, dockerClients, gantryClient } from '../../harness/programs.ts';

const engine = useEngine();
const SECRET = randomUUID();
const isOld = ({ name }: { readonly name: string }) => name.startsWith('docker 20.');
const must = (...args: string[]) => engine.must(gantryClient, args);

/** An image with a file, and links that lead out of it. */
async function makeImage(): Promise<string> {
  const [name, image] = [uniqueName('source'), uniqueName('image')];
  const canary = mkdtempSync(join(tmpdir(), 'gantry-test-canary-'));
  writeFileSync(join(canary, 'secret'), SECRET);
  engine.defer(async () => rmSync(canary, { recursive: true, force: true }));
  const fill = `mkdir -p /data/sub /data/links; echo content > /data/sub/file; chown -R 7:8 /data/sub
    ln -s ../sub /data/links/good; ln -s ${canary} /data/links/out; ln -s out /data/links/twice; ln -s ../../../.. /data/links/up`;
  await must('run', '--name', name, 'busybox', 'sh', '-c', fill);
  await must('commit', name, image);
  await must('rm', name);
  engine.defer(() => engine.run(gantryClient, ['rmi', '-f', image]));
  return image;
}

const mountTable = async () => await Bun.file('/proc/self/mountinfo').text();

describe.skipIf(givenHost() !== undefined)('an image as a mount', () => {
  let image = '';
  beforeAll(async () => {
    image = await makeImage();
  });

  describe.each(allClients().filter((client) => !isOld(client)))('$name', (client) => {
    const run = (mount: string, ...command: string[]) =>
      engine.run(client, ['run', '--rm', '--mount', mount, 'busybox', ...command]);

    test('is seen with its owners, and nothing can be written', async () => {
      const mount = `type=image,source=${image},target=/i`;
      expect(
        await run(mount, 'sh', '-c', 'cat /i/data/sub/file; stat -c %u:%g /i/data/sub/file'),
      ).toMatchObject({
        code: 0,
        stdout: 'content\n7:8\n',
      });
      const { code, stderr } = await run(mount, 'sh', '-c', 'echo x > /i/data/sub/file');
      expect(code).toBe(1);
      expect(stderr).toContain('Read-only file system');
    });

    test('a part of it', async () => {
      const mount = `type=image,src=${image},dst=/i,image-subpath=data/sub`;
      expect(await run(mount, 'ls', '/i')).toMatchObject({ code: 0, stdout: 'file\n' });
      expect(await run(mount.replace('data/sub', 'data/links/good'), 'ls', '/i')).toMatchObject({
        stdout: 'file\n',
      });
    });

    test.each(['links/out', 'links/twice', 'links/up'])('%s leads out of it', async (subpath) => {
      const { code, stdout, stderr } = await run(
        `type=image,src=${image},dst=/i,image-subpath=data/${subpath}`,
        ...['cat', '/i/secret'],
      );
      expect(code).toBe(125);
      expect(stdout).not.toContain(SECRET);
      expect(stderr).toContain('path concatenation escapes the base directory');
    });

    test.each([
      ['src=,dst=/i', 'invalid mount config for type "image": field Source must not be empty'],
      [
        'src=busybox,dst=/i,image-subpath=../x',
        'invalid mount config for type "image": subpath must be a relative path within the volume',
      ],
      [
        'src=busybox,dst=/i,image-subpath=/x',
        'invalid mount config for type "image": subpath must be a relative path within the volume',
      ],
      ['src=nosuchimage,dst=/i', 'No such image: nosuchimage:latest'],
      ['src=busybox,dst=/i,image-subpath=nosuch', 'cannot access path'],
    ])('%s is refused', async (mount, text) => {
      const { code, stderr } = await run(`type=image,${mount}`, 'true');
      expect(code).not.toBe(0);
      expect(stderr).toContain(text);
    });

    test('is shown, and the image stays as long as the container', async () => {
      const [name, other] = [uniqueName('uses'), uniqueName('other')];
      await must('tag', image, other);
      const mount = `type=image,src=${other},dst=/i,image-subpath=data`;
      await engine.must(client, ['create', '--name', name, '--mount', mount, 'busybox', 'ls', '/i/sub']);
      engine.defer(() => engine.run(gantryClient, ['rm', '-f', name]));
      const [shown] = JSON.parse(await engine.must(client, ['inspect', '-f', '{{json .Mounts}}', name]));
      expect(shown).toEqual({
        ...{ Type: 'image', Name: other, Source: expect.stringMatching(/^\//), Destination: '/i' },
        ...{ Mode: '', RW: false, Propagation: 'rprivate' },
      });
      expect(await engine.must(client, ['inspect', '-f', '{{json .HostConfig.Mounts}}', name])).toContain(
        `{"Type":"image","Source":"${other}","Target":"/i","ImageOptions":{"Subpath":"data"}}`,
      );
      await must('rmi', other);
      await must('image', 'prune', '-af');
      const { code, stderr } = await engine.run(client, ['rmi', image]);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /unable to remove repository reference ".*" \(must force\) - container [0-9a-f]{12} is using its referenced image/,
      );
      expect(await engine.must(client, ['start', '-a', name])).toBe('file');
      await engine.must(client, ['rm', name]);
    });
  });

  test.each(dockerClients().filter(isOld))('$name: its API has no such mount', async (client) => {
    const { code, stderr } = await engine.run(client, [
      ...['run', '--rm', '--mount', `type=image,src=${image},dst=/i`],
      ...['busybox', 'true'],
    ]);
    expect(code).toBe(125);
    expect(stderr).toContain('Mount type "Image" needs API v1.48 or newer');
  });

  test('of an image that was forced away the container keeps the files, and nothing stays after it', async () => {
    const gone = await makeImage();
    const id = await must('inspect', '-f', '{{.Id}}', gone);
    const name = uniqueName('keeps');
    await must(
      'create',
      '--name',
      name,
      '--mount',
      `type=image,src=${gone},dst=/i`,
      'busybox',
      'cat',
      '/i/data/sub/file',
    );
    await must('rmi', '-f', gone);
    expect((await engine.run(gantryClient, ['inspect', id])).code).toBe(1);
    expect(await must('start', '-a', name)).toBe('content');
    const source = await must('inspect', '-f', '{{(index .Mounts 0).Source}}', name);
    await must('rm', name);
    expect(await mountTable()).not.toContain(source);
    expect(existsSync(dirname(source))).toBe(false);
  });

  test('cp reads from it while nothing runs, and cannot write', async () => {
    const name = uniqueName('copied');
    await must('create', '--name', name, '--mount', `type=image,src=${image},dst=/i`, 'busybox');
    engine.defer(() => engine.run(gantryClient, ['rm', '-f', name]));
    const directory = mkdtempSync(join(tmpdir(), 'gantry-image-'));
    engine.defer(async () => rmSync(directory, { recursive: true, force: true }));
    await must('cp', `${name}:/i/data/sub/file`, directory);
    expect(await Bun.file(join(directory, 'file')).text()).toBe('content\n');
    const { code, stderr } = await engine.run(gantryClient, [
      'cp',
      join(directory, 'file'),
      `${name}:/i/data`,
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('read-only');
  });

  test('--volumes-from takes it along', async () => {
    const name = uniqueName('owner');
    await must('create', '--name', name, '--mount', `type=image,src=${image},dst=/i`, 'busybox');
    engine.defer(() => engine.run(gantryClient, ['rm', '-f', name]));
    expect(await must('run', '--rm', '--volumes-from', name, 'busybox', 'cat', '/i/data/sub/file')).toBe(
      'content',
    );
  });

  test('a killed daemon: who runs keeps it, and nothing stays mounted after it', async () => {
    const name = uniqueName('survives');
    await must(
      'run',
      '-d',
      '--name',
      name,
      '--mount',
      `type=image,src=${image},dst=/i`,
      'busybox',
      'sleep',
      '1000',
    );
    const source = await must('inspect', '-f', '{{(index .Mounts 0).Source}}', name);
    const pid = Number(await must('inspect', '-f', '{{.State.Pid}}', name));
    await engine.daemon?.crash();
    await engine.daemon?.restart();
    expect(await must('exec', name, 'cat', '/i/data/sub/file')).toBe('content');
    await engine.daemon?.crash();
    process.kill(pid, 'SIGKILL');
    await engine.daemon?.restart();
    await eventually('the unmount', async () => !(await mountTable()).includes(source));
    await must('start', name);
    expect(await must('exec', name, 'cat', '/i/data/sub/file')).toBe('content');
    await must('rm', '-f', name);
    expect(await mountTable()).not.toContain(source);
  });

  test('a privileged container that makes it writable changes its own view, not the image', async () => {
    const name = uniqueName('privileged');
    await must(
      'run',
      '--rm',
      '--name',
      name,
      '--privileged',
      '--mount',
      `type=image,src=${image},dst=/i`,
      'busybox',
      'sh',
      '-c',
      'mount -o remount,rw,bind /i && echo changed > /i/data/sub/file; true',
    );
    expect(await must('run', '--rm', image, 'cat', '/data/sub/file')).toBe('content');
  });

  test('the API before 1.48 refuses it', async () => {
    const body = {
      Image: 'busybox',
      HostConfig: { Mounts: [{ Type: 'image', Source: image, Target: '/i' }] },
    };
    expect(await callApi(engine.host, 'POST', '/v1.47/containers/create', { body })).toMatchObject({
      status: 400,
      message: 'Mount type "Image" needs API v1.48 or newer',
    });
  });
});
