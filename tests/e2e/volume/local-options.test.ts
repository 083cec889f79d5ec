import { afterAll, describe, expect, test } from 'bun:test';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { callApi } from '../../harness/api.ts';
import { givenHost } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, type Client, gantryClient } from '../../harness/programs.ts';

const engine = useEngine();
const made: string[] = [];
afterAll(() => {
  for (const directory of made) rmSync(directory, { recursive: true, force: true });
});

function hostDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-volume-'));
  made.push(directory);
  writeFileSync(join(directory, 'file'), 'of the host');
  return directory;
}

const isMounted = async (path: string) =>
  (await Bun.file('/proc/self/mountinfo').text()).includes(` ${path} `);

function output(...command: string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync(command);
  if (exitCode !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
  return stdout.toString().trim();
}

/** Processes in whose mount namespace there is something at or below the path. */
const namespacesWith = (path: string): string[] =>
  readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/mountinfo`, 'utf8').includes(` ${path}`);
    } catch {
      // It has ended.
      return false;
    }
  });

const asFlags = (options: readonly string[]) => options.flatMap((option) => ['-o', option]);

/** A new volume with these options, removed after the tests. */
async function newVolume(client: Client, ...options: string[]): Promise<string> {
  const name = uniqueName('volume');
  await engine.must(client, ['volume', 'create', '-d', 'local', ...asFlags(options), name]);
  engine.defer(() => engine.run(client, ['volume', 'rm', '-f', name]));
  return name;
}

const mountpointOf = (name: string) =>
  engine.must(gantryClient, ['volume', 'inspect', '-f', '{{.Mountpoint}}', name]);

describe.each(allClients())('$name: options of the local driver', (client) => {
  const must = (...args: string[]) => engine.must(client, args);

  test.each([
    [['foo=1'], 'invalid option: "foo"'],
    [['type=tmpfs'], 'missing required option: "device"'],
    [['device=tmpfs'], 'missing required option: "type"'],
    [['o=size=1m', 'device=tmpfs'], 'missing required option: "type"'],
    [['size=1m'], 'quota size requested but no quota support'],
    [['size=much'], "invalid size: 'much'"],
  ])('%j is refused, and no volume is left', async (options, text) => {
    const name = uniqueName('refused');
    const { code, stderr } = await engine.run(client, ['volume', 'create', ...asFlags(options), name]);
    expect(code).toBe(1);
    expect(stderr).toContain(`create ${name}: ${text}`);
    expect((await engine.run(client, ['volume', 'inspect', name])).code).toBe(1);
  });

  test('a tmpfs: all who run with it have the same, and nobody after the last', async () => {
    const name = await newVolume(client, 'type=tmpfs', 'device=tmpfs', 'o=size=1m,uid=1000,nodev');
    expect(await must('volume', 'inspect', '-f', '{{json .Options}}', name)).toBe(
      '{"device":"tmpfs","o":"size=1m,uid=1000,nodev","type":"tmpfs"}',
    );
    const mountpoint = await mountpointOf(name);
    expect(mountpoint).toEndWith(`/volumes/${name}/_data`);
    expect(await isMounted(mountpoint)).toBe(false);
    const first = uniqueName('first');
    const second = uniqueName('second');
    await must('run', '-d', '--name', first, '-v', `${name}:/v`, 'busybox', 'sleep', '1000');
    await must('run', '-d', '--name', second, '-v', `${name}:/w:ro`, 'busybox', 'sleep', '1000');
    engine.defer(() => engine.run(client, ['rm', '-f', first, second]));
    expect(await must('exec', first, 'stat', '-c', '%u', '/v')).toBe('1000');
    expect(await must('exec', first, 'df', '-k', '/v')).toMatch(/^tmpfs +1024 /m);
    await must('exec', first, 'sh', '-c', 'echo shared > /v/file');
    expect(await must('exec', second, 'cat', '/w/file')).toBe('shared');
    await must('stop', '-t', '0', first);
    expect(await isMounted(mountpoint)).toBe(true);
    await must('start', first);
    expect(await must('exec', first, 'cat', '/v/file')).toBe('shared');
    await must('rm', '-f', first, second);
    expect(await isMounted(mountpoint)).toBe(false);
    expect(await must('run', '--rm', '-v', `${name}:/v`, 'busybox', 'ls', '/v')).toBe('');
    await must('volume', 'rm', name);
  });

  test('an anonymous one by --mount', async () => {
    const mount = 'type=volume,dst=/v,volume-opt=type=tmpfs,volume-opt=device=tmpfs,volume-opt=o=size=2m';
    expect(await must('run', '--rm', '--mount', mount, 'busybox', 'df', '-k', '/v')).toMatch(
      /^tmpfs +2048 /m,
    );
  });

  test('a directory of the host: read-only where the options say so, and never removed with the volume', async () => {
    const source = hostDirectory();
    const writable = await newVolume(client, 'type=none', `device=${source}`, 'o=bind');
    const readOnly = await newVolume(client, 'type=none', `device=${source}`, 'o=bind,ro');
    await must('run', '--rm', '-v', `${writable}:/v`, 'busybox', 'touch', '/v/new');
    expect(existsSync(join(source, 'new'))).toBe(true);
    const { code, stderr } = await engine.run(client, [
      ...['run', '--rm', '-v', `${readOnly}:/v`],
      ...['busybox', 'touch', '/v/newer'],
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('Read-only file system');
    await must('volume', 'rm', writable, readOnly);
    expect(await Bun.file(join(source, 'file')).text()).toBe('of the host');
  });

  test('what cannot be mounted is told at the start, which can be tried again', async () => {
    const source = join(hostDirectory(), 'missing');
    const name = await newVolume(client, 'type=none', `device=${source}`, 'o=bind');
    const mountpoint = await mountpointOf(name);
    const container = uniqueName('fails');
    await must('create', '--name', container, '-v', `${name}:/v`, 'busybox', 'ls', '/v');
    engine.defer(() => engine.run(client, ['rm', '-f', container]));
    const { code, stderr } = await engine.run(client, ['start', '-a', container]);
    expect(code).toBe(1);
    expect(stderr).toContain(
      `error while mounting volume '${mountpoint}': failed to mount local volume: mount ${source}:${mountpoint}, flags: 0x1000: no such file or directory`,
    );
    mkdirSync(join(source, 'now'), { recursive: true });
    expect(await must('start', '-a', container)).toBe('now');
  });

  test('without a device there is nothing to mount', async () => {
    const name = await newVolume(client, 'type=tmpfs', 'device=');
    const { stderr } = await engine.run(client, ['run', '--rm', '-v', `${name}:/v`, 'busybox', 'true']);
    expect(stderr).toContain(
      `error while mounting volume '${await mountpointOf(name)}': missing device in volume options`,
    );
  });

  test('prune spares it', async () => {
    const name = await newVolume(client, 'type=tmpfs', 'device=tmpfs');
    await must('volume', 'prune', '-f');
    expect(await must('volume', 'ls', '-q', '-f', `name=${name}`)).toBe(name);
  });
});

describe('what newer dockers do', () => {
  test.skipIf(givenHost() !== undefined)('a port in a CIFS device is refused', async () => {
    const options = asFlags(['type=cifs', 'device=//server:445/x']);
    const { stderr } = await engine.run(gantryClient, ['volume', 'create', ...options, 'cifs']);
    expect(stderr).toContain("create cifs: port not allowed in CIFS device URL, include 'port' in 'o='");
  });

  test.skipIf(givenHost() !== undefined)('a password among the options is not told', async () => {
    const name = await newVolume(gantryClient, 'type=tmpfs', 'device=tmpfs', 'o=nosuch=1,password=s3cret');
    const { stderr } = await engine.run(gantryClient, ['run', '--rm', '-v', `${name}:/v`, 'busybox', 'true']);
    expect(stderr).toContain('data: nosuch=1,password=********: invalid argument');
    expect(stderr).not.toContain('s3cret');
  });
});

describe.skipIf(givenHost() !== undefined)('options of the local driver, and the daemon', () => {
  const must = (...args: string[]) => engine.must(gantryClient, args);
  const daemon = () => {
    if (!engine.daemon) throw new Error('no daemon of our own');
    return engine.daemon;
  };

  test('a killed daemon: who runs keeps the volume, and the successor unmounts it after the last', async () => {
    const name = await newVolume(gantryClient, 'type=tmpfs', 'device=tmpfs');
    const mountpoint = await mountpointOf(name);
    const [first, second] = [uniqueName('kept'), uniqueName('kept')];
    await must('run', '-d', '--name', first, '-v', `${name}:/v`, 'busybox', 'sleep', '1000');
    await must('exec', first, 'sh', '-c', 'echo kept > /v/file');
    await daemon().crash();
    await daemon().restart();
    expect(await must('exec', first, 'cat', '/v/file')).toBe('kept');
    await must('run', '-d', '--name', second, '-v', `${name}:/v`, 'busybox', 'sleep', '1000');
    expect(await must('exec', second, 'cat', '/v/file')).toBe('kept');
    await must('rm', '-f', first);
    expect(await isMounted(mountpoint)).toBe(true);
    await must('rm', '-f', second);
    expect(await isMounted(mountpoint)).toBe(false);
  });

  test('a killed daemon: what ended meanwhile is unmounted by the successor', async () => {
    const name = await newVolume(gantryClient, 'type=tmpfs', 'device=tmpfs');
    const mountpoint = await mountpointOf(name);
    const container = uniqueName('ended');
    await must('run', '-d', '--name', container, '-v', `${name}:/v`, 'busybox', 'sleep', '1000');
    engine.defer(() => engine.run(gantryClient, ['rm', '-f', container]));
    const pid = Number(await must('inspect', '-f', '{{.State.Pid}}', container));
    await daemon().crash();
    process.kill(pid, 'SIGKILL');
    expect(await isMounted(mountpoint)).toBe(true);
    await daemon().restart();
    await eventually('the unmount', async () => !(await isMounted(mountpoint)));
    expect(await must('start', container)).toBe(container);
    expect(await isMounted(mountpoint)).toBe(true);
  });

  test('a daemon killed in the middle of starts and removals: mounted is what runs', async () => {
    const name = await newVolume(gantryClient, 'type=tmpfs', 'device=tmpfs');
    const mountpoint = await mountpointOf(name);
    const label = uniqueName('round');
    const running = () => must('ps', '-q', '--filter', `label=${label}`);
    for (let round = 0; round < 10; round += 1) {
      const starts = [1, 2].map(() =>
        engine.run(gantryClient, [
          'run',
          '-d',
          '--label',
          label,
          '-v',
          `${name}:/v`,
          'busybox',
          'sleep',
          '1000',
        ]),
      );
      const old = (await running()).split('\n').filter(Boolean);
      const removals = old.slice(1).map((id) => engine.run(gantryClient, ['rm', '-f', id]));
      // Wherever that is: in a create, a mount, a start or an unmount.
      await Bun.sleep(round * 9);
      await daemon().crash();
      await Promise.all([...starts, ...removals]);
      await daemon().restart();
      expect(await isMounted(mountpoint)).toBe((await running()) !== '');
    }
    const all = (await must('ps', '-aq', '--filter', `label=${label}`)).split('\n').filter(Boolean);
    if (all.length > 0) await must('rm', '-f', ...all);
    expect(await isMounted(mountpoint)).toBe(false);
    await must('volume', 'rm', name);
  });

  test('a daemon that ends its containers leaves nothing mounted', async () => {
    const name = await newVolume(gantryClient, 'type=tmpfs', 'device=tmpfs');
    const mountpoint = await mountpointOf(name);
    const container = uniqueName('stopped');
    await must('run', '-d', '--name', container, '--stop-timeout', '0', '-v', `${name}:/v`, 'busybox', 'top');
    engine.defer(() => engine.run(gantryClient, ['rm', '-f', container]));
    expect(await isMounted(mountpoint)).toBe(true);
    await daemon().stop();
    expect(await isMounted(mountpoint)).toBe(true);
    await daemon().restart(['--live-restore=false']);
    await daemon().stop();
    expect(await isMounted(mountpoint)).toBe(false);
    await daemon().restart();
  });

  test('a part of it by volume-subpath: of what is mounted, and nothing outside of it', async () => {
    const source = hostDirectory();
    mkdirSync(join(source, 'part'));
    writeFileSync(join(source, 'part/inside'), '');
    symlinkSync('/etc', join(source, 'out'));
    const name = await newVolume(gantryClient, 'type=none', `device=${source}`, 'o=bind');
    const list = (subpath: string) => {
      const mount = `type=volume,src=${name},dst=/v,volume-subpath=${subpath}`;
      return engine.run(gantryClient, ['run', '--rm', '--mount', mount, 'busybox', 'ls', '/v']);
    };
    expect(await list('part')).toMatchObject({ code: 0, stdout: 'inside\n' });
    expect((await list('out')).stderr).toContain('path concatenation escapes the base directory');
    expect(await isMounted(await mountpointOf(name))).toBe(false);
  });

  test('what somebody has unmounted by hand is mounted again for the next container', async () => {
    const source = hostDirectory();
    const name = await newVolume(gantryClient, 'type=none', `device=${source}`, 'o=bind');
    const container = uniqueName('runs');
    await must('run', '-d', '--name', container, '-v', `${name}:/v`, 'busybox', 'sleep', '1000');
    engine.defer(() => engine.run(gantryClient, ['rm', '-f', container]));
    Bun.spawnSync(['umount', await mountpointOf(name)]);
    expect(await must('exec', container, 'cat', '/v/file')).toBe('of the host');
    expect(await must('run', '--rm', '-v', `${name}:/v`, 'busybox', 'cat', '/v/file')).toBe('of the host');
  });

  test('a file system that may take its time is mounted as well', async () => {
    const name = await newVolume(gantryClient, 'type=ramfs', 'device=memory', 'o=noexec,mode=711');
    expect(
      await must('run', '--rm', '-v', `${name}:/v`, 'busybox', 'sh', '-c', 'grep /v /proc/mounts'),
    ).toMatch(/^memory \/v ramfs rw,.*noexec.*mode=711/);
    expect(await isMounted(await mountpointOf(name))).toBe(false);
  });

  test.skipIf(!Bun.which('mkfs.ext4') || !Bun.which('losetup'))(
    'a disk: its data outlive the containers, and nothing holds it after the last',
    async () => {
      const image = join(hostDirectory(), 'disk');
      output('truncate', '-s', '16M', image);
      output('mkfs.ext4', '-q', image);
      const device = output('losetup', '-f', '--show', image);
      engine.defer(async () => Bun.spawnSync(['losetup', '-d', device]));
      const name = await newVolume(gantryClient, 'type=ext4', `device=${device}`, 'o=nosuid');
      const container = uniqueName('disk');
      const script = 'cat /v/file; echo kept > /v/file; sleep 1000';
      await must('run', '-d', '--name', container, '-v', `${name}:/v`, 'busybox', 'sh', '-c', script);
      await eventually('the file', async () => (await must('exec', container, 'cat', '/v/file')) === 'kept');
      await must('kill', container);
      await must('start', container);
      await eventually('the file again', async () => (await must('logs', container)).includes('kept'));
      await must('rm', '-f', container);
      output('losetup', '-d', device);
      await eventually('the device to be free', () => output('losetup', '-j', image) === '');
    },
  );

  test('a removal that finds it mounted takes only the mount away', async () => {
    const source = hostDirectory();
    const name = uniqueName('mounted');
    await must('volume', 'create', ...asFlags(['type=none', `device=${source}`, 'o=bind']), name);
    expect(Bun.spawnSync(['mount', '--bind', source, await mountpointOf(name)]).exitCode).toBe(0);
    await must('volume', 'rm', name);
    expect(await Bun.file(join(source, 'file')).text()).toBe('of the host');
  });

  test("the host keeps what it mounts below a volume's device", async () => {
    const source = hostDirectory();
    const inner = join(source, 'inner');
    output('mount', '-t', 'tmpfs', 'shared', source);
    engine.defer(async () => Bun.spawnSync(['umount', '-R', '-l', source]));
    output('mount', '--make-shared', source);
    mkdirSync(inner);
    const name = await newVolume(gantryClient, 'type=none', `device=${source}`, 'o=rbind');
    // Its monitor stays in the namespace in which containers are made.
    const witness = uniqueName('witness');
    await must('run', '-d', '--name', witness, 'busybox', 'sleep', '1000');
    engine.defer(() => engine.run(gantryClient, ['rm', '-f', witness]));
    const container = uniqueName('below');
    await must('run', '-d', '--name', container, '-v', `${name}:/v`, 'busybox', 'sleep', '1000');
    output('mount', '-t', 'tmpfs', 'below', inner);
    const mountpoint = await mountpointOf(name);
    expect(namespacesWith(`${mountpoint}/inner`).length).toBeGreaterThan(1);
    await must('rm', '-f', container);
    expect(await isMounted(inner)).toBe(true);
    expect(await isMounted(mountpoint)).toBe(false);
    expect(namespacesWith(mountpoint)).toEqual([]);
  });

  test('cp sees the volume of a container that does not run', async () => {
    const source = hostDirectory();
    const name = await newVolume(gantryClient, 'type=none', `device=${source}`, 'o=bind');
    const container = uniqueName('copied');
    await must('create', '--name', container, '-v', `${name}:/v`, 'busybox');
    engine.defer(() => engine.run(gantryClient, ['rm', '-f', container]));
    await must('cp', join(source, 'file'), `${container}:/v/copy`);
    expect(await Bun.file(join(source, 'copy')).text()).toBe('of the host');
    const target = join(hostDirectory(), 'back');
    await must('cp', `${container}:/v/copy`, target);
    expect(await Bun.file(target).text()).toBe('of the host');
    await eventually('the unmount', async () => !(await isMounted(await mountpointOf(name))));
  });

  test.each([
    ['a NUL', { type: 'tmpfs', device: 'tmpfs', o: 'size=1m\0,ro' }],
    ['a NUL in the device', { type: 'none', device: '/tmp\0/x', o: 'bind' }],
    ['a page of options', { type: 'tmpfs', device: 'tmpfs', o: `size=1m,x=${'y'.repeat(5000)}` }],
    ['a long device', { type: 'none', device: `/${'../'.repeat(100_000)}`, o: 'bind' }],
    ['nothing but commas', { type: 'nosuchfs', device: 'x', o: ','.repeat(1000) }],
    ['a remount', { type: 'tmpfs', device: 'none', o: 'remount,ro' }],
    ['a name of the prototype', { type: '__proto__', device: 'constructor', o: 'toString' }],
  ])('%s is an answer, and nothing is mounted', async (_, options) => {
    const name = uniqueName('hostile');
    const made = await callApi(engine.host, 'POST', '/volumes/create', {
      body: { Name: name, DriverOpts: options },
    });
    expect(made.status).toBe(201);
    engine.defer(() => engine.run(gantryClient, ['volume', 'rm', name]));
    const { code, stderr } = await engine.run(gantryClient, [
      'run',
      '--rm',
      '-v',
      `${name}:/v`,
      'busybox',
      'true',
    ]);
    expect(code).not.toBe(0);
    expect(stderr).toContain('failed to mount local volume: mount ');
    expect(await isMounted(await mountpointOf(name))).toBe(false);
  });
});
