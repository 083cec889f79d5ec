import { afterAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callApi } from '../../harness/api.ts';
import { givenHost } from '../../harness/daemon.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine();
const made: string[] = [];
const run = (...command: string[]) => {
  const { exitCode, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
};
afterAll(() => {
  for (const directory of made) {
    Bun.spawnSync(['umount', '-R', '-l', directory]);
    rmSync(directory, { recursive: true, force: true });
  }
});

/** A directory that is a mount of its own, with another one `below` it, made while the daemon runs. */
function hostTree(propagation: 'shared' | 'private'): string {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-binds-'));
  made.push(directory);
  run('mount', '-t', 'tmpfs', 'binds', directory);
  run('mount', `--make-${propagation}`, directory);
  for (const name of ['below', 'later']) mkdirSync(join(directory, name));
  run('mount', '-t', 'tmpfs', 'below', join(directory, 'below'));
  mkdirSync(join(directory, 'below/inner'));
  return directory;
}

const isMounted = async (path: string) =>
  (await Bun.file('/proc/self/mountinfo').text()).includes(` ${path} `);

describe.skipIf(givenHost() !== undefined).each(allClients())('$name binds', (client) => {
  const must = (...args: string[]) => engine.must(client, args);
  const fails = async (...args: string[]) => (await engine.run(client, args)).stderr;

  test('what the host mounted since the daemon started is there, below the source as well', async () => {
    const source = hostTree('private');
    expect(await must('run', '--rm', '-v', `${source}:/x`, 'busybox', 'ls', '/x/below')).toBe('inner');
    expect(
      await must(
        'run',
        '--rm',
        '--mount',
        `type=bind,src=${source},dst=/x,bind-nonrecursive`,
        'busybox',
        'ls',
        '/x/below',
      ),
    ).toBe('');
  });

  test('also where the host has made it unbindable', async () => {
    const source = hostTree('private');
    mkdirSync(join(source, 'there'));
    run('mount', '--make-unbindable', source);
    expect(await must('run', '--rm', '-v', `${source}:/x`, 'busybox', 'ls', '/x')).toContain('there');
  });

  test('a file, read-only and not', async () => {
    const file = join(hostTree('private'), 'file');
    await Bun.write(file, 'content');
    const write = 'echo more >> /file; cat /file';
    expect(await must('run', '--rm', '-v', `${file}:/file`, 'busybox', 'sh', '-c', write)).toBe(
      'contentmore',
    );
    const mount = `type=bind,src=${file},dst=/file,readonly`;
    for (const flags of [
      ['-v', `${file}:/file:ro`],
      ['--mount', mount],
    ]) {
      const { stdout, stderr } = await engine.run(client, [
        'run',
        '--rm',
        ...flags,
        'busybox',
        'sh',
        '-c',
        write,
      ]);
      expect(stderr).toContain('Read-only file system');
      expect(stdout).toBe('contentmore\n');
    }
  });

  test('shared: what a container mounts is the host’s; slave: what the host mounts is the container’s', async () => {
    const source = hostTree('shared');
    await must(
      'run',
      '--rm',
      '--privileged',
      '-v',
      `${source}:/x:shared`,
      'busybox',
      'mount',
      '-t',
      'tmpfs',
      'inside',
      '/x/later',
    );
    expect(await isMounted(join(source, 'later'))).toBe(true);
    run('umount', join(source, 'later'));
    const name = uniqueName('slave');
    await must('run', '-d', '--name', name, '-v', `${source}:/x:rslave`, 'busybox', 'sleep', '1000');
    run('mount', '-t', 'tmpfs', 'late', join(source, 'later'));
    mkdirSync(join(source, 'later/arrived'));
    expect(await must('exec', name, 'ls', '/x/later')).toBe('arrived');
    run('umount', join(source, 'later'));
    expect(await must('exec', name, 'ls', '/x/later')).toBe('');
    await must('rm', '-f', name);
    // Nothing that the container mounts for itself comes to the host.
    expect(
      (await Bun.file('/proc/self/mountinfo').text())
        .split('\n')
        .filter((line) => line.includes(` ${source}/`)),
    ).toHaveLength(1);
  });

  test('a private mount cannot be shared', async () => {
    const source = hostTree('private');
    expect(await fails('run', '--rm', '-v', `${source}:/x:rshared`, 'busybox', 'true')).toContain(
      `path ${source} is mounted on ${source} but it is not a shared mount`,
    );
    expect(await fails('run', '--rm', '-v', `${source}:/x:slave`, 'busybox', 'true')).toContain(
      `path ${source} is mounted on ${source} but it is not a shared or slave mount`,
    );
  });

  test('read-only is so with all below, unless asked otherwise', async () => {
    const source = hostTree('private');
    const tryTo = async (...flags: string[]) =>
      (await engine.run(client, ['run', '--rm', ...flags, 'busybox', 'touch', '/x/below/file'])).code;
    const isOld = client.name.includes('20.10');
    expect((await tryTo('-v', `${source}:/x:ro`)) === 0).toBe(isOld);
    expect((await tryTo('--mount', `type=bind,src=${source},dst=/x,readonly`)) === 0).toBe(isOld);
    if (isOld) return;
    const mount = `type=bind,src=${source},dst=/x,readonly`;
    expect(await tryTo('--mount', `${mount},bind-recursive=writable`)).toBe(0);
    expect(await tryTo('--mount', `${mount},bind-recursive=readonly,bind-propagation=rprivate`)).not.toBe(0);
  });

  test('the data root follows the host, or is refused', async () => {
    const root = (await must('info', '-f', '{{.DockerRootDir}}')).trim();
    const name = uniqueName('root');
    for (const source of [root, '/', `${root}/containers`]) {
      await must('create', '--name', name, '-v', `${source}:/x`, 'busybox');
      expect((await must('inspect', '-f', '{{(index .Mounts 0).Propagation}}', name)).trim()).toBe('rslave');
      await must('rm', name);
      expect(await fails('create', '-v', `${source}:/x:private`, 'busybox')).toContain(
        'must use either propagation mode "rslave" or "rshared" when mount source is within the daemon root',
      );
    }
  });
});

test('options that contradict each other are refused at start', async () => {
  const create = async (mount: object) => {
    const body = {
      Image: 'busybox',
      HostConfig: { Mounts: [{ Type: 'bind', Source: '/usr', Target: '/x', ...mount }] },
    };
    const { json } = await callApi(engine.host, 'POST', '/containers/create', { body });
    const id = (json as { readonly Id: string }).Id;
    const { status, message } = await callApi(engine.host, 'POST', `/containers/${id}/start`);
    await callApi(engine.host, 'DELETE', `/containers/${id}`);
    return [status, message];
  };
  expect(await create({ BindOptions: { ReadOnlyNonRecursive: true } })).toEqual([
    500,
    'mount options conflict: !ReadOnly && BindOptions.ReadOnlyNonRecursive',
  ]);
  expect(
    await create({
      ReadOnly: true,
      BindOptions: { ReadOnlyNonRecursive: true, ReadOnlyForceRecursive: true },
    }),
  ).toEqual([500, 'mount options conflict: ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive']);
});
