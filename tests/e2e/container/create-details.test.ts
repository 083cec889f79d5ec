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
