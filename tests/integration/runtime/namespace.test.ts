import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'bun:test';
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

beforeAll(async () => {
  const enter = [
    'nsenter',
    `--mount=${STARTED_FROM}/ns/mnt`,
    'unshare',
    '--mount',
    '--propagation',
    'private',
  ];
  copy = Bun.spawn([...enter, 'sh', '-c', 'echo made; exec sleep 100000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await copy.stdout.getReader().read();
});
afterAll(async () => {
  copy.kill('SIGKILL');
  await copy.exited;
});

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'rt-ns-'));
  mkdirSync(join(root, 'data/merged'), { recursive: true });
});
afterEach(() => {
  for (const target of hostMounts().toReversed()) Bun.spawnSync(inHost('umount', '-l', target));
  rmSync(root, { recursive: true, force: true });
});

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

test.if(hasControllers())(
  'RuntimeNamespace: crun is content inside, the host keeps its controllers, mounts are seen by all',
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
    expect(await first.ask('leave')).toEqual([join(root, 'data')]);
    await first.stop('SIGKILL');

    const successor = await start();
    expect(await successor.ask(`mounts ${root}`)).toContain(merged);
    expect(hostMounts().filter((target) => target === join(root, 'data'))).toHaveLength(1);
    await successor.ask(`unmount ${merged}`);
    expect(hostMounts()).not.toContain(merged);
    expect(await successor.ask('leave')).toEqual([]);
    expect(hostMounts()).toEqual([]);
    await successor.stop('SIGTERM');
    expect(hostControllers()).toBe(before);
  },
);

test('RuntimeNamespace: follows what the host mounts, where it matters', async () => {
  const [source, shared] = [join(root, 'source'), join(root, 'data/merged')];
  mkdirSync(source);
  const daemon = await start();
  const { inside: before } = await daemon.ask('state');
  Bun.spawnSync(inHost('mount', '-t', 'tmpfs', 'late', source));
  Bun.spawnSync(inHost('mkdir', join(source, 'arrived')));
  await daemon.ask(`follow ${shared}`);
  expect((await daemon.ask('state')).inside).toBe(before);
  await daemon.ask(`follow ${source}`);
  const { inside: after } = await daemon.ask('state');
  expect(after).not.toBe(before);
  expect(await daemon.ask(`list ${source}`)).toBe('arrived');
  await daemon.ask(`mount ${shared}`);
  await daemon.ask(`follow ${source}`);
  expect((await daemon.ask('state')).inside).toBe(after);
  await daemon.ask(`unmount ${shared}`);
  await daemon.ask('leave');
  await daemon.stop('SIGKILL');
});
