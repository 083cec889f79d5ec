import { describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync } from 'node:fs';
import { deadFileSystem, HAS_FUSE } from '../../harness/dead-file-system.ts';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { gantryClient } from '../../harness/programs.ts';

const engine = useEngine();

/** Whether a thread of the process waits for the server of a FUSE file system. */
const waitsForServer = (pid: number): boolean =>
  readdirSync(`/proc/${pid}/task`).some((thread) =>
    /fuse|request_wait/.test(readFileSync(`/proc/${pid}/task/${thread}/wchan`, 'utf8')),
  );

test.skipIf(!HAS_FUSE)(
  'a removal by force does not wait for the server of a volume',
  async () => {
    // dockerd waits for ever.
    if (!engine.daemon) return;
    const { pid } = engine.daemon;
    const name = uniqueName('dead');
    {
      using dead = deadFileSystem();
      const options = ['-o', 'type=ext4', '-o', `device=${dead.path}/disk`];
      await engine.must(gantryClient, ['volume', 'create', ...options, name]);
      await engine.must(gantryClient, [
        'create',
        '--name',
        name,
        '-v',
        `${name}:/nothing/there`,
        'busybox',
        'true',
      ]);
      const starting = engine.run(gantryClient, ['start', name]);
      await eventually('a start that waits', async () => waitsForServer(pid));
      await engine.must(gantryClient, ['rm', '-f', name]);
      expect((await starting).stderr).toContain('nobody waits for it any more');
      // Nothing may be deleted below what the kernel may still mount.
      expect((await engine.run(gantryClient, ['volume', 'rm', name])).stderr).toContain('volume is in use');
    }
    await eventually('the end of the mount', async () => {
      const { code } = await engine.run(gantryClient, ['volume', 'rm', name]);
      return code === 0;
    });
  },
  60_000,
);

describe.skipIf(!HAS_FUSE)('a directory of the host whose server is dead', () => {
  // dockerd's other requests go on as well, so this runs against it, too.
  const ask = (...args: string[]) => engine.run(gantryClient, args);

  test('holds up its own container alone, which can be removed', async () => {
    const [name, other] = [uniqueName('waiting'), uniqueName('other')];
    using dead = deadFileSystem();
    await engine.must(gantryClient, ['create', '--name', name, '-v', `${dead.path}:/x`, 'busybox', 'true']);
    const starting = ask('start', name);
    if (engine.daemon)
      await eventually('a start that waits', async () => waitsForServer(engine.daemon?.pid ?? 0));
    expect((await ask('run', '--rm', '--name', other, 'busybox', 'echo', 'goes on')).stdout).toBe(
      'goes on\n',
    );
    expect((await ask('inspect', '-f', '{{.State.Status}}', name)).stdout).toBe('created\n');
    if (!engine.daemon) return;
    await engine.must(gantryClient, ['rm', '-f', name]);
    expect((await starting).stderr).toContain('the container is removed by force');
  }, 60_000);

  test('holds up the create that must look at it, and cp into it, until it is gone', async () => {
    if (!engine.daemon) return;
    const { pid } = engine.daemon;
    const [name, stopped] = [uniqueName('mount'), uniqueName('stopped')];
    const waiting: Promise<{ readonly stderr: string }>[] = [];
    {
      using dead = deadFileSystem();
      await engine.must(gantryClient, [
        'create',
        '--name',
        stopped,
        '-v',
        `${dead.path}:/x`,
        'busybox',
        'true',
      ]);
      waiting.push(
        ask('create', '--name', name, '--mount', `type=bind,src=${dead.path}/sub,dst=/x`, 'busybox', 'true'),
        ask('cp', `${stopped}:/x/file`, '/tmp'),
        ask('cp', `${stopped}:/etc/hosts`, '-'),
      );
      await eventually('requests that wait', async () => waitsForServer(pid));
      expect((await ask('ps', '-a', '--format', '{{.Names}}')).stdout).toContain(stopped);
    }
    const [created, copied] = await Promise.all(waiting);
    expect(created?.stderr).toContain('bind source path does not exist');
    expect(copied?.stderr).not.toBe('');
    await engine.must(gantryClient, ['rm', '-f', stopped]);
  }, 60_000);
});
