import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';

/** The namespace the tests were started from; this process may have left it (see harness.ts). */
const STARTED_FROM = `/proc/${process.ppid}`;
/** Stands for the host's mounts: a copy of them in which nobody else mounts anything meanwhile. */
let copy: Bun.Subprocess<'ignore', 'pipe'>;
const host = () => `/proc/${copy.pid}`;
const inHost = (...command: string[]) => ['nsenter', `--mount=${host()}/ns/mnt`, ...command];
const CONTROLLERS = '/sys/fs/cgroup/unified/cgroup.controllers';
const hostControllers = () => Bun.spawnSync(inHost('cat', CONTROLLERS)).stdout.toString().trim();
const hasControllers = () =>
  Bun.spawnSync(['nsenter', `--mount=${STARTED_FROM}/ns/mnt`, 'cat', CONTROLLERS]).stdout.length > 1;
const hostMounts = () =>
  readFileSync(`${host()}/mountinfo`, 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((target) => target.startsWith(root));

let root: string;

async function start() {
  const child = Bun.spawn(
    inHost(
      process.execPath,
      join(import.meta.dir, 'fixtures/namespaced.ts'),
      join(root, 'data'),
      join(root, 'run'),
    ),
    { stdin: 'pipe', stdout: 'pipe', stderr: 'inherit', env: { ...process.env, RT_MARK: 'kept' } },
  );
  const lines = createInterface({ input: Readable.fromWeb(child.stdout as never) })[Symbol.asyncIterator]();
  const answer = async () => JSON.parse((await lines.next()).value ?? 'null');
  expect(await answer()).toBe('up');
  return {
    async ask(command: string) {
      child.stdin.write(`${command}\n`);
      child.stdin.flush();
      return await answer();
    },
    async stop(signal: 'SIGKILL' | 'SIGTERM') {
      child.kill(signal);
      await child.exited;
    },
  };
}

describe.each(['private', 'shared'])('on a host whose mounts are %s', (propagation) => {
  beforeAll(async () => {
    const enter = [
      'nsenter',
      `--mount=${STARTED_FROM}/ns/mnt`,
      'unshare',
      '--mount',
      '--propagation',
      'private',
    ];
    const script = `mount --make-r${propagation} / && echo made; exec sleep 100000`;
    copy = Bun.spawn([...enter, 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await copy.stdout.getReader().read();
  });
  afterAll(async () => {
    copy.kill('SIGKILL');
    await copy.exited;
  });
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'rt-ns-'));
    mkdirSync(join(root, 'data/merged'), { recursive: true });
  });
  afterEach(() => {
    for (const target of hostMounts().toReversed()) Bun.spawnSync(inHost('umount', '-l', target));
    rmSync(root, { recursive: true, force: true });
  });

  test.if(hasControllers())(
    'RuntimeNamespace: crun is content inside, the host keeps its controllers and sees the mounts',
    async () => {
      const before = hostControllers();
      const merged = join(root, 'data/merged');
      const first = await start();
      const hostNamespace = readlinkSync(`${host()}/ns/mnt`);
      expect(await first.ask('state')).toEqual({
        own: hostNamespace,
        inside: expect.not.stringContaining(hostNamespace),
        ownControllers: before,
        controllers: '',
        directory: join(root, 'data'),
      });
      expect(hostControllers()).toBe(before);
      expect(hostMounts()).toEqual([join(root, 'data'), join(root, 'run')]);
      await first.ask(`mount ${merged}`);
      expect(hostMounts()).toContain(merged);
      expect(await first.ask(`mountsInside ${root}`)).toEqual([join(root, 'data'), join(root, 'run')]);
      expect(await first.ask('leave')).toEqual([join(root, 'data')]);
      await first.stop('SIGKILL');

      const successor = await start();
      expect(await successor.ask(`mounts ${root}`)).toContain(merged);
      expect(await successor.ask(`mountsInside ${root}`)).toEqual([join(root, 'data'), join(root, 'run')]);
      expect(hostMounts().filter((target) => target === join(root, 'data'))).toHaveLength(1);
      await successor.ask(`unmount ${merged}`);
      expect(hostMounts()).not.toContain(merged);
      expect(await successor.ask('leave')).toEqual([]);
      expect(hostMounts()).toEqual([]);
      await successor.stop('SIGTERM');
      expect(hostControllers()).toBe(before);
    },
  );

  test('StagedMounts: a start sees what the host has by then, until its mount points are removed', async () => {
    const source = join(root, 'source');
    mkdirSync(source);
    const daemon = await start();
    Bun.spawnSync(inHost('mount', '-t', 'tmpfs', 'late', source));
    Bun.spawnSync(inHost('mkdir', join(source, 'below')));
    Bun.spawnSync(inHost('mount', '-t', 'tmpfs', 'later', join(source, 'below')));
    expect(await daemon.ask(`stage ${source}`)).toBe('below');
    const staged = join(root, 'run/staged.0');
    expect(await daemon.ask(`mountsInside ${root}/run/`)).toEqual([staged, join(staged, 'below')]);
    expect(await daemon.ask(`mounts ${root}/run/`)).toEqual([]);
    await daemon.ask('unstage');
    expect(await daemon.ask(`mountsInside ${root}/run/`)).toEqual([]);
    expect(hostMounts()).toContain(join(source, 'below'));
    await daemon.ask('unstage');
    await daemon.ask('leave');
    await daemon.stop('SIGKILL');
  });

  test('RuntimeNamespace: what was mounted below the data root before stays seen; inside, where it is used', async () => {
    const [used, other] = [join(root, 'data/used'), join(root, 'data/other')];
    for (const directory of [used, other]) {
      mkdirSync(directory);
      Bun.spawnSync(inHost('mount', '-t', 'tmpfs', 'disk', directory));
      Bun.spawnSync(inHost('mkdir', join(directory, 'kept')));
    }
    const daemon = await start();
    for (const directory of [used, other])
      expect(Bun.spawnSync(inHost('ls', directory)).stdout.toString()).toBe('kept\n');
    expect(await daemon.ask(`list ${used}`)).toBe('kept');
    expect(await daemon.ask(`list ${other}`)).toBe('');
    expect(await daemon.ask('leave')).toEqual([]);
    expect(hostMounts()).toEqual([used, other]);
    await daemon.stop('SIGKILL');
  });
});
