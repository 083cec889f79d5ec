import { describe, expect, spyOn, test } from 'bun:test';
import { readTar, writeTar } from '#base';
import { createImageFixture } from '../testing/index.ts';
import { busyboxRootfs } from './busybox.ts';
import { findProgram, runCommand, runToEnd } from './command.ts';
import { debianRootfs } from './debian.ts';
import { isStaticProgram } from './static-binary.ts';

const busybox = findProgram('busybox');

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe.skipIf(busybox === undefined)('busybox', () => {
  test('the root file system is the same bytes each time and has what a shell needs', async () => {
    const one = await collect(busyboxRootfs(busybox ?? ''));
    expect(Bun.hash(await collect(busyboxRootfs(busybox ?? '')))).toBe(Bun.hash(one));
    const members = new Map<string, { mode: number; link: string; text: string }>();
    for await (const entry of readTar([one])) {
      const { path, mode, linkPath, mtimeNs, uid, gid } = entry.header;
      expect([mtimeNs, uid, gid]).toEqual([0n, 0, 0]);
      const text = path.startsWith('etc/') ? Buffer.from(await entry.bytes(1e6)).toString() : '';
      members.set(path, { mode, link: linkPath, text });
    }
    expect(members.get('bin/sh')?.link).toBe('busybox');
    expect(members.get('bin/busybox')?.mode).toBe(0o755);
    expect(members.get('tmp/')?.mode).toBe(0o1777);
    expect(members.get('etc/passwd')?.text).toStartWith('root:x:0:0:root:/root:/bin/sh\n');
    expect(members.get('etc/group')?.text).toContain('nogroup:x:65534:\n');
  });

  test('bootstrap makes a tagged image that runs sh', async () => {
    using fixture = await createImageFixture();
    const image = await fixture.images.bootstrap('busybox');
    expect(image.tags).toEqual(['docker.io/library/busybox:latest']);
    expect(image.config.config).toMatchObject({
      Cmd: ['sh'],
      Env: [expect.stringContaining('PATH=/usr/local/sbin:')],
    });
    const named = await fixture.images.bootstrap('busybox', { reference: 'me/bb:1' });
    expect(named.config.rootfs).toEqual(image.config.rootfs);
    expect(named.tags).toContain('docker.io/me/bb:1');
  });

  test('busybox takes no packages', async () => {
    using fixture = await createImageFixture();
    await expect(fixture.images.bootstrap('busybox', { packages: ['curl'] })).rejects.toThrow(
      'takes no packages',
    );
  });
});

test('isStaticProgram: tells a program that needs a loader from one that does not', async () => {
  if (busybox !== undefined) expect(await isStaticProgram(busybox)).toBe(true);
  expect(await isStaticProgram('/bin/ls')).toBe(false);
  expect(await isStaticProgram('/etc/passwd')).toBe(false);
});

describe('debian', () => {
  for (const name of ['--setup-hook=x', '-x', 'a b', 'a,b', '', 'A']) {
    test(`package name ${JSON.stringify(name)} is refused`, async () => {
      await expect(collect(debianRootfs('/bin/false', { packages: [name] }))).rejects.toThrow(
        'invalid package name',
      );
    });
  }
});

describe('runCommand', () => {
  test('yields the output', async () => {
    expect((await collect(runCommand(['printf', 'a%sb', 'x'], { timeoutMs: 5000 }))).toString()).toBe('axb');
  });

  test('a failing program throws with its last words', async () => {
    const run = runToEnd(['sh', '-c', 'echo first >&2; echo last >&2; exit 3'], { timeoutMs: 5000 });
    await expect(run).rejects.toThrow(
      expect.objectContaining({ code: 'internal', message: 'sh failed (3): first\nlast' }),
    );
  });

  test('a missing program is unavailable', async () => {
    const run = runToEnd(['no-such-program-here'], { timeoutMs: 5000 });
    await expect(run).rejects.toThrow(expect.objectContaining({ code: 'unavailable' }));
  });

  test('the deadline ends it with all its children', async () => {
    const run = runToEnd(['sh', '-c', 'sleep 60 & sleep 60'], { timeoutMs: 100 });
    await expect(run).rejects.toThrow(expect.objectContaining({ code: 'deadline_exceeded' }));
  });

  test('abort ends it', async () => {
    const abort = new AbortController();
    const run = runToEnd(['sleep', '60'], { timeoutMs: 60_000, signal: abort.signal });
    abort.abort();
    await expect(run).rejects.toThrow();
  });

  // Its process ID may be somebody else's by then.
  test.each(['exit 0', 'exit 3'])('one that has ended (%s) gets no signal', async (script) => {
    const kill = spyOn(process, 'kill');
    try {
      await runToEnd(['sh', '-c', script], { timeoutMs: 60_000 }).catch(() => {});
      expect(kill).not.toHaveBeenCalled();
    } finally {
      kill.mockRestore();
    }
  });

  test('a reader that stops ends it', async () => {
    for await (const _chunk of runCommand(['yes'], { timeoutMs: 60_000 })) break;
  });
});

test('importRootfs: a source that fails leaves nothing', async () => {
  using fixture = await createImageFixture();
  async function* failing() {
    yield* writeTar([{ header: { path: 'a' }, body: 'x'.repeat(1000) }]);
    throw new Error('gone');
  }
  await expect(fixture.images.importRootfs(failing())).rejects.toThrow('gone');
  expect(fixture.content.list()).toEqual([]);
});
