import { afterAll, describe, expect, test } from 'bun:test';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { givenHost, startDaemon } from '../../harness/daemon.ts';
import { gantryClient as gantry, must } from '../../harness/programs.ts';

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

function makeDirectory(parent: string): string {
  const directory = mkdtempSync(join(parent, 'gantry-test-roots-'));
  chmodSync(directory, 0o711);
  directories.push(directory);
  return directory;
}

/** A path to a directory that is a link. */
function linkIn(parent: string): { readonly path: string; readonly real: string } {
  const directory = makeDirectory(parent);
  mkdirSync(join(directory, 'real'), { mode: 0o711 });
  symlinkSync('real', join(directory, 'link'));
  return { path: join(directory, 'link/root'), real: join(directory, 'real/root') };
}

function relativeIn(parent: string): { readonly path: string; readonly real: string } {
  const real = join(makeDirectory(parent), 'root');
  return { path: relative(process.cwd(), real), real };
}

describe.skipIf(givenHost() !== undefined)('the roots of the daemon', () => {
  test.each([
    ['behind a link', linkIn],
    ['relative', relativeIn],
  ])('%s: containers run, through a restart too', async (_, make) => {
    const [data, exec] = [make(tmpdir()), make('/run')];
    const flags = ['--data-root', data.path, '--exec-root', exec.path];
    await using daemon = await startDaemon({ flags });
    const { host } = daemon;
    await must(gantry, ['image', 'bootstrap', 'busybox'], { host });
    expect(await must(gantry, ['run', '--rm', '-v', 'vol:/v', 'busybox', 'echo', 'here'], { host })).toBe(
      'here',
    );
    expect(await must(gantry, ['info', '-f', '{{.DockerRootDir}}'], { host })).toBe(data.real);
    const id = await must(gantry, ['run', '-d', 'busybox', 'sleep', '1000'], { host });
    await daemon.crash();
    await daemon.restart();
    expect(await must(gantry, ['exec', id, 'echo', 'again'], { host })).toBe('again');
  });

  test('a socket in the exec root is reached by its group, and by nobody else', async () => {
    const group = '64123';
    const root = join(makeDirectory('/run'), 'exec');
    const socket = join(root, 'api.sock');
    chmodSync(join(root, '..'), 0o755);
    const flags = ['--exec-root', root, '-H', `unix://${socket}`, '-G', group];
    await using _ = await startDaemon({ flags });
    const reaches = (gid: string): boolean =>
      Bun.spawnSync([
        ...['setpriv', '--reuid=65534', `--regid=${gid}`, '--clear-groups'],
        ...['test', '-w', socket],
      ]).success;
    expect(reaches(group)).toBe(true);
    expect(reaches('64124')).toBe(false);
    expect(statSync(root).mode & 0o777).toBe(0o710);
  });
});
