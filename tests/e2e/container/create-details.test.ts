import { describe, expect, test } from 'bun:test';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine();

describe.each(allClients())('$name create', (client) => {
  const must = (...args: string[]) => engine.must(client, args);

  test('a volume without a name is labelled, and pruned before those with one', async () => {
    const named = uniqueName('kept');
    const container = uniqueName('volumes');
    const loose = (await must('volume', 'create')).trim();
    await must('volume', 'create', named);
    await must('create', '--name', container, '-v', '/data', 'busybox');
    const own = (await must('inspect', '-f', '{{(index .Mounts 0).Name}}', container)).trim();
    const labels = async (name: string) =>
      JSON.parse(await must('volume', 'inspect', '-f', '{{json .Labels}}', name)) ?? {};
    for (const name of [loose, own])
      expect(await labels(name)).toEqual({ 'com.docker.volume.anonymous': '' });
    expect(await labels(named)).toEqual({});
    expect(await must('volume', 'ls', '-q', '-f', 'label=com.docker.volume.anonymous')).toContain(loose);
    await must('rm', '-v', container);
    await must('volume', 'rm', loose, named);
  });

  test('-w: the directory is kept without what does not matter', async () => {
    const container = uniqueName('where');
    await must('create', '--name', container, '-w', '/tmp/./x/../', 'busybox');
    expect((await must('inspect', '-f', '{{.Config.WorkingDir}}', container)).trim()).toBe('/tmp');
    await must('rm', container);
  });

  test('-w: a directory that the image lacks is there before the first start', async () => {
    const container = uniqueName('made');
    await must('create', '--name', container, '-w', '/x/y', '-v', '/x/z', 'busybox', 'pwd');
    expect(await must('diff', container)).toBe('A /x\nA /x/y');
    await must('cp', '/etc/hostname', `${container}:/x/y/name`);
    expect(await must('start', '-a', container)).toBe('/x/y');
    await must('rm', '-v', container);
    const refused = await engine.run(client, ['create', '-w', '/bin/sh', 'busybox']);
    expect(refused.stderr).toContain('Cannot mkdir: /bin/sh is not a directory');
  });

  test('--network container: one that does not exist yet is missed by the start only', async () => {
    const [early, donor] = [uniqueName('early'), uniqueName('donor')];
    await must('create', '--name', early, '--network', `container:${donor}`, 'busybox', 'true');
    const missing = await engine.run(client, ['start', early]);
    expect(missing.stderr).toContain(`No such container: ${donor}`);
    await must('run', '-d', '--name', donor, 'busybox', 'sleep', '1000');
    await must('start', '-a', early);
    for (const flag of ['--ipc', '--pid']) {
      const refused = await engine.run(client, ['create', flag, `container:${early}-nope`, 'busybox']);
      expect(refused.stderr).toContain(`No such container: ${early}-nope`);
    }
    await must('rm', '-f', early, donor);
  });

  test('an empty command is found out by the start; --entrypoint "" takes no command of the image', async () => {
    const container = uniqueName('blank');
    await must('create', '--name', container, 'busybox', '');
    expect((await engine.run(client, ['start', container])).stderr).toContain(
      'exec: "": executable file not found in $PATH',
    );
    expect((await must('inspect', '-f', '{{.State.ExitCode}}', container)).trim()).toBe('127');
    await must('rm', container);
    const refused = await engine.run(client, ['create', '--entrypoint', '', 'busybox']);
    expect(refused.stderr.toLowerCase()).toContain('no command specified');
  });

  test('--link: the other container is known by the name of the link, whoever is renamed', async () => {
    const [db, web, renamed] = [uniqueName('db'), uniqueName('web'), uniqueName('renamed')];
    const id = (await must('run', '-d', '--name', db, 'busybox', 'sleep', '1000')).trim();
    await must('create', '--name', web, '--link', `${db}:/mysql`, 'busybox');
    await must('rename', web, renamed);
    for (const name of [`${renamed}/mysql`, `/${renamed}/mysql`]) {
      expect((await must('inspect', '-f', '{{.Id}}', name)).trim()).toBe(id);
    }
    await must('rm', '-f', renamed, db);
  });
});
