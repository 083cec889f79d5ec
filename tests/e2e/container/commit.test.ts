import { describe, expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';

const engine = useEngine();

describe.each(allClients())('$name commit', (client) => {
  test('what was changed runs from the new image, config and message too', async () => {
    const name = uniqueName('commit');
    const image = `${name}:made`;
    const script = 'echo kept > /kept; rm /etc/group; echo ready; exec sleep 1000';
    await engine.must(client, ['run', '-d', '--name', name, '-e', 'A=1', 'busybox', 'sh', '-c', script]);
    await engine.must(client, [
      'exec',
      name,
      'sh',
      '-c',
      'until test -e /kept && ! test -e /etc/group; do :; done',
    ]);
    const flags = ['-a', 'Ann', '-m', 'with file', '-c', 'ENV B=2', '-c', 'CMD ["cat","/kept"]'];
    const id = await engine.must(client, ['commit', ...flags, name, image]);
    expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await engine.must(client, ['run', '--rm', image])).toBe('kept');
    const seen = 'echo $A $B; ls /etc/group 2>&1; ls -l /etc/hosts >/dev/null && echo hosts';
    expect(await engine.must(client, ['run', '--rm', image, 'sh', '-c', seen])).toMatch(
      /^1 2\n.*No such file.*\nhosts$/,
    );
    expect(await engine.must(client, ['inspect', '-f', '{{.Author}} {{.Comment}}', image])).toBe(
      'Ann with file',
    );
    expect(await engine.must(client, ['history', '--format', '{{.Comment}}', image])).toMatch(
      /^with file(\n|$)/,
    );
    expect(await engine.must(client, ['inspect', '-f', '{{.State.Status}}', name])).toBe('running');
    await engine.must(client, ['rm', '-f', name]);
    await engine.must(client, ['rmi', image]);
  });

  test('without changes and without a name; a bad instruction is refused', async () => {
    const name = uniqueName('same');
    await engine.must(client, ['create', '--name', name, 'busybox', 'echo', 'same']);
    const id = await engine.must(client, ['commit', name]);
    expect(await engine.must(client, ['run', '--rm', id])).toBe('same');
    const layers = '{{len .RootFS.Layers}}';
    expect(await engine.must(client, ['inspect', '-f', layers, id])).toBe(
      await engine.must(client, ['inspect', '-f', layers, 'busybox']),
    );
    expect((await engine.run(client, ['commit', '-c', 'RUN true', name])).code).toBe(1);
    await engine.must(client, ['rm', name]);
    await engine.must(client, ['rmi', id]);
  });
});

test('the layers of a forced-away image go with its last container', async () => {
  const [client] = allClients();
  const { daemon } = engine;
  if (!client || !daemon) return;
  const layers = () => readdirSync(`${daemon.dataRoot}/content/blobs/sha256`).length;
  const name = uniqueName('orphan');
  await engine.must(client, ['run', '--name', `${name}-base`, 'busybox', 'sh', '-c', 'echo x > /x']);
  const before = layers();
  const id = await engine.must(client, ['commit', `${name}-base`]);
  await engine.must(client, ['create', '--name', name, id]);
  await engine.must(client, ['rmi', '-f', id]);
  await engine.must(client, ['rm', name, `${name}-base`]);
  expect(layers()).toBe(before);
});
