import { beforeAll, describe, expect, test } from 'bun:test';
import {
  appendFileSync,
  chownSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { givenHost, startDaemon } from '../../harness/daemon.ts';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, GANTRY, gantryClient as gantry, run } from '../../harness/programs.ts';
import { SLOWNESS } from '../../harness/slowness.ts';

const FILES = ['/etc/subuid', '/etc/subgid'];
const FIRST = 600_000_000 + (process.pid % 4000) * 65_536;
/** A system user without ranges of its own: another test run on this machine uses another one. */
const USER = freeUser();
const RANGE = `${USER}:${FIRST}:65536\n`;

function freeUser(): string {
  const names = (file: string) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .map((line) => line.split(':')[0] ?? '');
  const taken = new Set(['', 'root', ...FILES.flatMap(names)]);
  const groups = new Set(names('/etc/group'));
  const free = names('/etc/passwd').filter((name) => groups.has(name) && !taken.has(name));
  return free[process.pid % free.length] ?? 'nobody';
}

// Before the daemon is started, which the next hook does.
beforeAll(() => {
  for (const file of FILES) appendFileSync(file, RANGE);
});
const engine = useEngine({ flags: ['--userns-remap', USER] });
engine.defer(async () => {
  for (const file of FILES) writeFileSync(file, readFileSync(file, 'utf8').replace(RANGE, ''));
});
const directory = mkdtempSync(join(tmpdir(), 'gantry-test-userns-'));
engine.defer(async () => rmSync(directory, { recursive: true, force: true }));

const MAP = new RegExp(`^ *0 +${FIRST} +65536$`);
const inspect = (name: string, format: string): Promise<string> =>
  engine.must(gantry, ['inspect', '-f', format, name]);
const owner = (path: string): [number, number] => [statSync(path).uid, statSync(path).gid];
const nullDevice = (): [number, number, number] => [
  ...owner('/dev/null'),
  statSync('/dev/null').mode & 0o777,
];
const listTar = (tar: string | Uint8Array<ArrayBuffer>): string =>
  Bun.spawnSync(['tar', 'tvf', '-', '--numeric-owner'], { stdin: new Blob([tar]) }).stdout.toString();
const onHost = (id: number): [number, number] => [FIRST + id, FIRST + id];

describe.skipIf(givenHost() !== undefined).each(allClients())('--userns-remap: $name', (client) => {
  const must = (...args: string[]): Promise<string> => engine.must(client, args);

  test('root inside is a subordinate ID outside, for run, exec and what they write', async () => {
    const name = uniqueName('mapped');
    const before = nullDevice();
    await must(
      'run',
      '-d',
      '--name',
      name,
      '-v',
      `${name}:/named`,
      '-v',
      '/anon',
      'busybox',
      'sleep',
      '1000',
    );
    const pid = await inspect(name, '{{.State.Pid}}');
    expect(readFileSync(`/proc/${pid}/uid_map`, 'utf8').trim()).toMatch(MAP);
    expect(readFileSync(`/proc/${pid}/gid_map`, 'utf8').trim()).toMatch(MAP);
    expect(statSync(`/proc/${pid}`).uid).toBe(FIRST);
    const script = `
      set -e; id -u; cat /proc/self/uid_map
      stat -c '%u:%g' / /bin/busybox /etc/passwd /etc/hosts /named /anon
      for d in /root /named /anon; do touch $d/f; chown 33:34 $d/f; done
      echo more >> /etc/passwd; rm /etc/group; echo h >> /etc/hosts; echo n > /dev/null`;
    const [id, map, ...owners] = (await must('exec', name, 'sh', '-c', script)).split('\n');
    expect([id, owners]).toEqual(['0', Array.from({ length: 6 }, () => '0:0')]);
    expect(map).toMatch(MAP);
    const upper = await inspect(name, '{{.GraphDriver.Data.UpperDir}}');
    const volume = await inspect(name, `{{range .Mounts}}{{if eq .Name "${name}"}}{{.Source}}{{end}}{{end}}`);
    expect(owner(`${upper}/root/f`)).toEqual([FIRST + 33, FIRST + 34]);
    expect(owner(`${upper}/etc/passwd`)).toEqual(onHost(0));
    expect(owner(volume)).toEqual(onHost(0));
    expect(owner(`${volume}/f`)).toEqual([FIRST + 33, FIRST + 34]);
    expect(nullDevice()).toEqual(before);
    const changes = (await must('diff', name)).split('\n');
    expect(changes).toContain('C /etc/passwd');
    expect(changes).toContain('D /etc/group');
    expect(changes.some((line) => line.endsWith('/bin'))).toBe(false);
    await must('rm', '-f', '-v', name);
    await must('volume', 'rm', name);
  });

  test("-w: what is made for it is the container's root's, before the first start", async () => {
    const name = uniqueName('where');
    await must('create', '--name', name, '-w', '/x/y', 'busybox', 'stat', '-c', '%u', '/x', '/x/y');
    const upper = await inspect(name, '{{.GraphDriver.Data.UpperDir}}');
    expect([owner(`${upper}/x`), owner(`${upper}/x/y`)]).toEqual([onHost(0), onHost(0)]);
    expect(await must('start', '-a', name)).toBe('0\n0');
    await must('rm', name);
  });

  test('its network is its own: ping, low ports, /sys, published ports', async () => {
    const name = uniqueName('net');
    const script = 'ping -c 1 127.0.0.1 >/dev/null && ls /sys/class/net && exec httpd -f -p 80 -h /etc';
    await must('run', '-d', '--name', name, '-p', '127.0.0.1:0:80', 'busybox', 'sh', '-c', script);
    const address = (await must('port', name, '80')).split('\n')[0] ?? '';
    const text = await eventually('the server', async () => {
      const answer = await fetch(`http://${address}/hostname`);
      return answer.ok ? await answer.text() : undefined;
    });
    expect(text.trim()).toBe((await inspect(name, '{{.Config.Hostname}}')).trim());
    expect((await must('logs', name)).split('\n').sort()).toEqual(['eth0', 'lo']);
    await must('rm', '-f', name);
  });

  test('namespaces of another container can be shared', async () => {
    const name = uniqueName('donor');
    await must('run', '-d', '--name', name, '--ipc', 'shareable', 'busybox', 'sleep', '1000');
    const share = [
      '--network',
      `container:${name}`,
      '--ipc',
      `container:${name}`,
      '--pid',
      `container:${name}`,
    ];
    const script =
      'ping -c 1 127.0.0.1 >/dev/null; touch /dev/shm/x; stat -c %u /dev/shm/x; ps | grep -c "sleep 1000"';
    const out = await must('run', '--rm', ...share, 'busybox', 'sh', '-c', script);
    expect(out.split('\n')[0]).toBe('0');
    expect(await must('exec', name, 'ls', '/dev/shm')).toBe('x');
    await must('rm', '-f', name);
  });

  test('--userns=host opts out; what would reach around the mapping is refused', async () => {
    const map = await must(
      'run',
      '--rm',
      '--userns',
      'host',
      '--privileged',
      'busybox',
      'cat',
      '/proc/self/uid_map',
    );
    expect(map).toMatch(/^ *0 +0 +4294967295$/);
    for (const [flags, text] of [
      [['--privileged'], 'privileged mode is incompatible with user namespaces'],
      [['--network', 'host'], "cannot share the host's network namespace when user namespaces are enabled"],
      [['--pid', 'host'], 'cannot share the host PID namespace when user namespaces are enabled'],
    ] as const) {
      const { code, stderr } = await engine.run(client, ['run', '--rm', ...flags, 'busybox', 'true']);
      expect([code, stderr]).toEqual([125, expect.stringContaining(text)]);
    }
    expect(await must('info', '-f', '{{.SecurityOptions}}')).toContain('name=userns');
  });

  test('commit, export and cp have the IDs of the container', async () => {
    const name = uniqueName('source');
    const image = uniqueName('image');
    const script = 'touch /root/web /root/mine; chown 33:34 /root/web; chmod 2755 /root/web';
    await must('run', '--name', name, 'busybox', 'sh', '-c', script);
    await must('commit', name, image);
    const show = ['stat', '-c', '%u:%g %a', '/root/web', '/root/mine', '/bin/busybox'];
    const wanted = '33:34 2755\n0:0 644\n0:0 755';
    expect(await must('run', '--rm', image, ...show)).toBe(wanted);
    expect(await must('run', '--rm', '--userns', 'host', image, ...show)).toBe(wanted);
    const listed = listTar(await exportOf(name));
    expect(listed).toMatch(/33\/34 .* root\/web/);
    expect(listed).toMatch(/0\/0 .* bin\/busybox/);
    for (const isRunning of [false, true]) {
      if (isRunning) await must('run', '-d', '--name', `${name}-on`, image, 'sleep', '1000');
      const target = isRunning ? `${name}-on` : name;
      const local = join(directory, uniqueName('web'));
      expect(listTar(await must('cp', '-a', `${target}:/root/web`, '-'))).toMatch(/33\/34 .* web/);
      writeFileSync(local, 'web');
      chownSync(local, 5, 6);
      await must('cp', '-a', local, `${target}:/root/back`);
      if (isRunning) expect(await must('exec', target, 'stat', '-c', '%u:%g', '/root/back')).toBe('5:6');
      const upper = await inspect(target, '{{.GraphDriver.Data.UpperDir}}');
      expect(owner(`${upper}/root/back`)).toEqual([FIRST + 5, FIRST + 6]);
    }
    await must('rm', '-f', name, `${name}-on`);
    await must('rmi', image);
  });

  test('a terminal, a user, an init, a device, limits and a read-only root work in it', async () => {
    const flags = [
      '--init',
      '--read-only',
      '--tmpfs',
      '/s',
      '--device',
      '/dev/zero:/dev/nought',
      '-m',
      '50m',
    ];
    const script = 'id -u; echo out > /dev/stdout; head -c 3 /dev/nought | wc -c; touch /s/x; touch /y 2>&1';
    const { stdout } = await engine.run(client, [
      'run',
      '--rm',
      '-u',
      '33',
      ...flags,
      'busybox',
      'sh',
      '-c',
      script,
    ]);
    expect(stdout).toContain('33\nout\n3\n');
    expect(stdout).toContain('Read-only file system');
    expect(await must('run', '--rm', '-t', 'busybox', 'sh', '-c', 'stat -c %u $(tty)')).toMatch(/^0\r?$/);
  });

  const exportOf = async (name: string): Promise<Uint8Array<ArrayBuffer>> => {
    const path = join(directory, uniqueName('export'));
    await must('export', '-o', path, name);
    return new Uint8Array(readFileSync(path));
  };
});

describe.skipIf(givenHost() !== undefined)('--userns-remap of a daemon', () => {
  test(
    'a later daemon without it goes on with mapped containers',
    async () => {
      await using daemon = await startDaemon({ flags: [] });
      const { host } = daemon;
      const must = async (...args: string[]) => (await run(gantry, args, { host })).stdout.trim();
      await must('image', 'bootstrap', 'busybox');
      await daemon.stop();
      await daemon.restart(['--userns-remap', USER]);
      await must('run', '--name', 'old', 'busybox', 'sh', '-c', 'touch /root/f; cat /proc/self/uid_map');
      await daemon.stop();
      await daemon.restart();
      expect(await must('start', '-a', 'old')).toMatch(MAP);
      expect(await must('run', '--rm', 'busybox', 'cat', '/proc/self/uid_map')).toMatch(/^0 +0 +4294967295$/);
      await must('rm', 'old');
    },
    60_000 * SLOWNESS,
  );

  test(
    'beside a socket in the exec root, which belongs to a group of its own',
    async () => {
      const execRoot = mkdtempSync('/run/gantry-test-userns-');
      using _ = { [Symbol.dispose]: () => rmSync(execRoot, { recursive: true, force: true }) };
      const socket = ['-H', `unix://${execRoot}/api.sock`, '-G', '64123'];
      await using daemon = await startDaemon({
        flags: ['--exec-root', execRoot, ...socket, '--userns-remap', USER],
      });
      const must = async (...args: string[]) =>
        (await run(gantry, args, { host: daemon.host })).stdout.trim();
      await must('image', 'bootstrap', 'busybox');
      expect(await must('run', '--rm', '-v', 'vol:/v', 'busybox', 'cat', '/proc/self/uid_map')).toMatch(MAP);
      await must('volume', 'rm', 'vol');
    },
    60_000 * SLOWNESS,
  );

  test('refuses an unknown user and a data root that the mapped root cannot reach', () => {
    const start = (remap: string): string => {
      const roots = ['--data-root', `${directory}/data`, '--exec-root', `${directory}/exec`];
      const files = ['-H', `unix://${directory}/s.sock`, '--pidfile', `${directory}/pid`];
      const flags = [...roots, ...files, '--userns-remap', remap];
      const { exitCode, stderr } = Bun.spawnSync([GANTRY, 'daemon', ...flags], {
        timeout: 20_000 * SLOWNESS,
      });
      expect(exitCode).toBe(1);
      return stderr.toString();
    };
    expect(start('no-such-user')).toContain('Error during uid lookup for "no-such-user": no such user');
    // Temporary directories are closed to others.
    expect(start(`${USER}:${USER}`)).toContain('restricts access to the remapped root uid/gid');
  });
});
