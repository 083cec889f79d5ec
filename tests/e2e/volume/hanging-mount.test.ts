import { expect, test } from 'bun:test';
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSys } from '#sys';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { gantryClient } from '../../harness/programs.ts';

const engine = useEngine();

/** A file system whose server never answers: who looks up a name in it waits. Its end is an error for them. */
function deadFileSystem(): Disposable & { readonly path: string } {
  const { mounts } = createSys();
  const path = mkdtempSync(join(tmpdir(), 'gantry-dead-'));
  const fd = openSync('/dev/fuse', 'r+');
  const data = `fd=${fd},rootmode=40000,user_id=0,group_id=0`;
  mounts.mount({ source: 'dead', target: path, fstype: 'fuse', data });
  return {
    path,
    [Symbol.dispose]: () => {
      closeSync(fd);
      mounts.unmount(path, { detach: true });
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** Whether a thread of the process waits for the server of a FUSE file system. */
const waitsForServer = (pid: number): boolean =>
  readdirSync(`/proc/${pid}/task`).some((thread) =>
    /fuse|request_wait/.test(readFileSync(`/proc/${pid}/task/${thread}/wchan`, 'utf8')),
  );

test.skipIf(!existsSync('/dev/fuse'))(
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
