import { describe, expect, test } from 'bun:test';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine();

describe.each(allClients())('$name commit', (client) => {
  test('files and configuration of a container become an image', async () => {
    const name = uniqueName('commit');
    const image = `committed/${name}:1`;
    await engine.must(client, [
      'run',
      '-d',
      '--name',
      name,
      '-e',
      'A=1',
      'busybox',
      'sh',
      '-c',
      'echo kept > /kept; sleep 1000',
    ]);
    await engine.must(client, ['exec', name, 'sh', '-c', 'until [ -s /kept ]; do :; done']);
    const changes = ['-c', 'CMD ["cat", "/kept"]', '-c', 'LABEL from=commit', '--change', 'ENV B=2'];
    const id = await engine.must(client, [
      'commit',
      '-a',
      'Ann <ann@example.com>',
      '-m',
      'a message',
      ...changes,
      name,
      image,
    ]);
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await engine.must(client, ['run', '--rm', image])).toBe('kept');
    const format = '{{.Author}}|{{.Comment}}|{{json .Config.Env}}|{{.Config.Labels.from}}';
    const [author, comment, env = '', label] = (
      await engine.must(client, ['image', 'inspect', '-f', format, image])
    ).split('|');
    expect([author, comment, label]).toEqual(['Ann <ann@example.com>', 'a message', 'commit']);
    expect(JSON.parse(env)).toEqual(expect.arrayContaining(['A=1', 'B=2']));
    expect(await engine.must(client, ['inspect', '-f', '{{.State.Status}}', name])).toBe('running');
    await engine.must(client, ['commit', '--pause=false', name]);
    expect((await engine.run(client, ['commit', 'no-such-container'])).code).toBe(1);
    expect((await engine.run(client, ['commit', name, 'Not/Valid'])).stderr).toContain('must be lowercase');
    await engine.must(client, ['rm', '-f', name]);
    await engine.must(client, ['rmi', image]);
  });
});
