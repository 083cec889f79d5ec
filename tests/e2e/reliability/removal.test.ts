import { describe, expect, test } from 'bun:test';
import { mkdirSync } from 'node:fs';
import { callApi } from '../../harness/api.ts';
import { givenHost } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, clientEnvironment, gantryClient as gantry } from '../../harness/programs.ts';

const engine = useEngine();
const inspect = (name: string, format: string) => engine.must(gantry, ['inspect', '-f', format, name]);

/** Something in the container's directory that cannot be removed, as long as it is not disposed. */
function obstacle(id: string): Disposable {
  const path = `${engine.daemon?.dataRoot}/containers/${id}/obstacle`;
  const sh = (...command: string[]): void => {
    const { exitCode, stderr } = Bun.spawnSync(command);
    if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
  };
  mkdirSync(path);
  sh('mount', '-t', 'tmpfs', '-o', 'size=4k', 'obstacle', path);
  let isThere = true;
  return {
    [Symbol.dispose]: () => {
      if (isThere) sh('umount', path);
      isThere = false;
    },
  };
}

describe.skipIf(givenHost() !== undefined)('a removal that fails', () => {
  describe.each(allClients())('$name', (client) => {
    test('run --rm: the client is told; the container goes by itself when it can', async () => {
      const name = uniqueName('rm');
      const child = Bun.spawn([client.path, 'run', '--rm', '--name', name, 'busybox', 'sleep', '1000'], {
        env: clientEnvironment({ host: engine.host }),
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      await eventually(
        'the container to run',
        async () => (await inspect(name, '{{.State.Status}}')) === 'running',
      );
      const id = await inspect(name, '{{.Id}}');
      using obstruction = obstacle(id);
      await engine.must(gantry, ['kill', name]);
      expect(await child.exited).toBe(125);
      const said = await new Response(child.stderr).text();
      expect(said).toMatch(/unable to remove filesystem: .*busy/i);
      const state = await inspect(
        name,
        '{{.State.Status}} {{.State.Dead}} {{.State.ExitCode}} {{.State.Error}}',
      );
      expect(state).toMatch(/^dead true 137 unable to remove filesystem: .*busy/i);
      expect(
        await engine.must(gantry, ['ps', '-a', '--filter', `name=${name}`, '--format', '{{.Status}}']),
      ).toBe('Dead');
      obstruction[Symbol.dispose]();
      await eventually(
        'the container to go',
        async () => (await callApi(engine.host, 'GET', `/containers/${id}/json`)).status === 404,
      );
    }, 60_000);
  });

  test('a dead container: what can be done with it, and its end at the next start', async () => {
    const { daemon } = engine;
    if (!daemon) throw new Error('no daemon');
    const name = uniqueName('dead');
    const id = await engine.must(gantry, ['create', '--name', name, 'busybox', 'true']);
    using obstruction = obstacle(id);
    const call = (method: string, path: string, body?: unknown) =>
      callApi(engine.host, method, `/containers/${name}${path}`, body === undefined ? {} : { body });
    const failed = await call('DELETE', '');
    expect([failed.status, failed.message]).toEqual([
      500,
      expect.stringContaining(`cannot remove container "/${name}": unable to remove filesystem: `),
    ]);
    const refused = 'container is marked for removal and cannot be';
    expect(await call('POST', '/start')).toMatchObject({ status: 409, message: `${refused} started` });
    expect(await call('POST', '/update', {})).toMatchObject({ status: 409 });
    expect((await call('POST', '/stop')).status).toBe(304);
    expect((await call('POST', '/kill')).status).toBe(409);
    expect((await call('DELETE', '?force=1')).status).toBe(500);
    await daemon.crash();
    obstruction[Symbol.dispose]();
    await daemon.restart();
    await eventually('the container to go', async () => (await call('GET', '/json')).status === 404);
  }, 60_000);
});
