import { beforeAll, describe, expect, test } from 'bun:test';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { clientEnvironment, gantryClient as gantry } from '../../harness/programs.ts';
import { call } from '../../reliability/api.ts';

const engine = useEngine();

const sh = (flags: readonly string[], script: string): Promise<string> =>
  engine.must(gantry, ['run', '--rm', ...flags, 'busybox', 'sh', '-c', script]);

/** The fields of /proc/self/status. */
async function status(...flags: string[]): Promise<Record<string, string>> {
  const text = await sh(flags, 'cat /proc/self/status');
  return Object.fromEntries(text.split('\n').map((line) => line.split(/:\s*/) as [string, string]));
}

/** The host's perl inside the container: it can make any system call. */
const PERL = ['/usr', '/lib', '/lib64'].flatMap((path) => ['-v', `${path}:${path}:ro`]);
/** Name, number on x86_64, first argument, and the errno that the default profile answers. */
const CALLS = [
  ['getpid', 39, 0, 0],
  ['keyctl', 250, 0, 1],
  ['io_uring_setup', 425, 0, 1],
  ['clone3', 435, 0, 38],
  ['a call of the future (F36)', 1000, 0, 38],
] as const;
const CALL_SCRIPT = CALLS.map(
  ([, nr, arg]) => `$! = 0; syscall(${nr}, ${arg}, 0, 0, 0); print $! + 0, " ";`,
).join(' ');
const EXPECTED = CALLS.map(([, , , errno]) => errno).join(' ');

describe.if(process.arch === 'x64')('seccomp', () => {
  test('the default profile is on: denied calls EPERM, unknown ones ENOSYS (F36)', async () => {
    const out = await engine.must(gantry, [
      ...['run', '--rm', ...PERL, '--entrypoint', '/usr/bin/perl', 'busybox', '-e', CALL_SCRIPT],
    ]);
    expect(out.trim()).toBe(EXPECTED);
  });

  test('exec is filtered as the container is', async () => {
    const name = uniqueName('seccomp');
    await engine.must(gantry, ['run', '-d', '--name', name, ...PERL, 'busybox', 'sleep', '1000']);
    const out = await engine.must(gantry, ['exec', name, '/usr/bin/perl', '-e', CALL_SCRIPT]);
    expect(out.trim()).toBe(EXPECTED);
    await engine.must(gantry, ['rm', '-f', name]);
  });

  test('a custom profile is obeyed, unconfined is none, garbage is refused', async () => {
    const profile = JSON.stringify({
      defaultAction: 'SCMP_ACT_ALLOW',
      syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO' }],
    });
    const name = uniqueName('profile');
    const create = (securityOpt: string) =>
      call(engine.host, 'POST', `/containers/create?name=${name}`, {
        body: {
          Image: 'busybox',
          Cmd: ['sh', '-c', 'mkdir /d 2>&1; grep Seccomp: /proc/self/status'],
          HostConfig: { SecurityOpt: [securityOpt] },
        },
      });
    expect((await create(`seccomp=${profile}`)).status).toBe(201);
    const out = await engine.must(gantry, ['start', '-a', name]);
    expect(out).toContain('Operation not permitted');
    expect(out).toContain('Seccomp:\t2');
    await engine.must(gantry, ['rm', name]);
    expect((await status('--security-opt', 'seccomp=unconfined'))['Seccomp']).toBe('0');
    const garbage = await create('seccomp={"defaultAction":');
    expect(garbage.status).toBe(400);
    expect(garbage.text).toContain('seccomp');
    expect(await engine.must(gantry, ['ps', '-aq', '--filter', `name=${name}`])).toBe('');
  });
});

describe('capabilities', () => {
  const bit = (number: number): bigint => 1n << BigInt(number);
  const CHOWN = bit(0);
  const NET_ADMIN = bit(12);
  const NET_RAW = bit(13);
  const mask = (text: string | undefined): bigint => BigInt(`0x${text}`);

  test('the fourteen of docker; nothing inheritable, nothing ambient (S19)', async () => {
    expect(await status()).toMatchObject({
      CapInh: '0000000000000000',
      CapPrm: '00000000a80425fb',
      CapEff: '00000000a80425fb',
      CapBnd: '00000000a80425fb',
      CapAmb: '0000000000000000',
    });
  });

  test('exec has the same, and nothing inheritable either (S19)', async () => {
    const name = uniqueName('caps');
    await engine.must(gantry, ['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
    const text = await engine.must(gantry, ['exec', name, 'cat', '/proc/self/status']);
    expect(text).toMatch(/CapInh:\t0{16}\n/);
    expect(text).toMatch(/CapAmb:\t0{16}\n/);
    expect(text).toMatch(/CapEff:\t00000000a80425fb\n/);
    const asUser = await engine.must(gantry, ['exec', '-u', '1000', name, 'cat', '/proc/self/status']);
    expect(asUser).toMatch(/CapEff:\t0{16}\n/);
    expect(asUser).toMatch(/CapInh:\t0{16}\n/);
    await engine.must(gantry, ['rm', '-f', name]);
  });

  test('add and drop', async () => {
    const changed = await status(
      '--cap-drop',
      'CHOWN',
      '--cap-drop',
      'CAP_NET_RAW',
      '--cap-add',
      'NET_ADMIN',
    );
    for (const field of ['CapEff', 'CapBnd', 'CapPrm']) {
      const set = mask(changed[field]);
      expect([set & CHOWN, set & NET_RAW, set & NET_ADMIN]).toEqual([0n, 0n, NET_ADMIN]);
    }
    expect(changed['CapInh']).toBe('0000000000000000');
    const none = await status('--cap-drop', 'ALL');
    expect([none['CapEff'], none['CapBnd']]).toEqual(['0000000000000000', '0000000000000000']);
    expect((await status('--cap-drop', 'ALL', '--cap-add', 'CHOWN'))['CapEff']).toBe('0000000000000001');
  });

  test('an unknown capability is refused', async () => {
    const result = await engine.run(gantry, ['run', '--rm', '--cap-add', 'BE_ROOT', 'busybox']);
    expect(result.code).toBe(125);
    expect(result.stderr).toContain('CAP_BE_ROOT');
  });
});

describe('what the container sees', () => {
  test('no-new-privileges', async () => {
    expect((await status())['NoNewPrivs']).toBe('0');
    expect((await status('--security-opt', 'no-new-privileges'))['NoNewPrivs']).toBe('1');
    expect((await status('--security-opt', 'no-new-privileges:false'))['NoNewPrivs']).toBe('0');
  });

  test('masked paths cannot be read', async () => {
    const files = ['/proc/kcore', '/proc/keys', '/proc/timer_list', '/proc/latency_stats'];
    const script = [
      ...files.map(
        (path) => `[ ! -e ${path} ] || [ "$(head -c 1 ${path} 2>/dev/null | wc -c)" = 0 ] || echo ${path}`,
      ),
      ...['/proc/acpi', '/proc/scsi', '/sys/firmware'].map((path) => `ls -A ${path} 2>/dev/null`),
    ].join('\n');
    expect(await sh([], script)).toBe('');
  });

  test('read-only paths of proc and sys cannot be written, nor remounted, nor unmounted', async () => {
    const script = `
      for f in /proc/sys/kernel/hostname /proc/sysrq-trigger /proc/bus /proc/fs /proc/irq /sys/kernel; do
        if [ -d $f ]; then touch $f/x; elif [ -e $f ]; then echo h > $f; else false; fi 2>/dev/null && echo "written: $f"
      done
      mount -o remount,rw /proc/sys 2>/dev/null && echo remounted
      umount /proc/kcore 2>/dev/null && echo unmounted
      true`;
    expect(await sh([], script)).toBe('');
  });

  test('--read-only: the root is, a tmpfs and a volume are not', async () => {
    const flags = ['--read-only', '--tmpfs', '/scratch', '-v', '/data'];
    const script =
      'touch /x /etc/x 2>/dev/null && echo bad; touch /scratch/x /data/x /dev/shm/x && echo good';
    expect(await sh(flags, script)).toBe('good');
  });

  test('the devices are the allowed ones; making and opening others is refused', async () => {
    expect((await sh([], 'ls /dev')).split('\n')).not.toContain('sda');
    const script = 'mknod /tmp/disk b 254 0; head -c 1 /tmp/disk 2>&1 || echo refused';
    expect(await sh([], `mkdir -p /tmp; ${script}`)).toContain('refused');
  });
});

/** A file of the host that no container may read. */
const canary = mkdtempSync(join(tmpdir(), 'gantry-test-canary-'));
const SECRET = randomUUID();
const CLIMB = '../'.repeat(12);
engine.defer(async () => rmSync(canary, { recursive: true, force: true }));
const STEAL = ['sh', '-c', `cat ${CLIMB}${canary}/secret .${canary}/secret`];

describe('S5: ways out through descriptors', () => {
  beforeAll(() => writeFileSync(join(canary, 'secret'), SECRET));

  test('the canary can be read where it should', () => {
    expect(readFileSync(`${import.meta.dir}/${CLIMB}${canary}/secret`, 'utf8')).toBe(SECRET);
  });

  test.each(['/proc/self/fd/', '/proc/1/fd/', '/proc/self/cwd', '/proc/self/root'])(
    'a working directory of %s does not lead to the host',
    async (directory) => {
      const image = uniqueName('workdir-image');
      for (const path of directory.endsWith('/') ? FDS.map((fd) => directory + fd) : [directory]) {
        const result = await engine.run(gantry, ['run', '--rm', '-w', path, 'busybox', ...STEAL]);
        expect(result.stdout).not.toContain(SECRET);
      }
      // The same from an image.
      const flags = ['--change', `WORKDIR ${directory}${directory.endsWith('/') ? '7' : ''}`];
      await engine.must(gantry, ['import', ...flags, '-', image], { stdin: await busyboxTree() });
      const { stdout } = await engine.run(gantry, ['run', '--rm', image, ...STEAL]);
      expect(stdout).not.toContain(SECRET);
      await engine.must(gantry, ['rmi', image]);
    },
    60_000,
  );

  test('nor does one of an exec', async () => {
    const name = uniqueName('workdir');
    await engine.must(gantry, ['run', '-d', '--name', name, 'busybox', 'sleep', '1000']);
    for (const fd of FDS) {
      const { stdout } = await engine.run(gantry, ['exec', '-w', `/proc/self/fd/${fd}`, name, ...STEAL]);
      expect(stdout).not.toContain(SECRET);
    }
    await engine.must(gantry, ['rm', '-f', name]);
  });

  test('run and exec have the descriptors 0, 1 and 2, nothing else', async () => {
    const name = uniqueName('fds');
    await engine.must(gantry, ['run', '-d', '-i', '--name', name, 'busybox', 'sleep', '1000']);
    const pid = Number(await engine.must(gantry, ['inspect', '-f', '{{.State.Pid}}', name]));
    expect(await descriptors(pid, 'sleep\x001000\x00')).toEqual(['0', '1', '2']);
    const exec = engine.run(gantry, ['exec', '-i', name, 'sleep', '1001'], { stdin: '' });
    const execPid = await eventually('the exec', async () => {
      const top = await engine.must(gantry, ['top', name, '-eo', 'pid,args']);
      return Number(/^\s*(\d+)\s+sleep 1001/m.exec(top)?.[1]) || undefined;
    });
    expect(await descriptors(execPid, 'sleep\x001001\x00')).toEqual(['0', '1', '2']);
    await engine.must(gantry, ['rm', '-f', name]);
    await exec;
    // What a shell in the container sees of itself: `ls` has the directory it reads, too.
    expect(await sh([], 'cd /proc/self/fd; echo *')).toMatch(/^0 1 2( 3)?$/);
  });

  test('device nodes swapped by the image are not used (CVE-2025-31133)', async () => {
    const image = uniqueName('swapped-image');
    const swap =
      'rm -rf dev; mkdir dev; ln -s /proc/sys/kernel/core_pattern dev/null; ' +
      'ln -s /proc/sysrq-trigger dev/console; ln -s /proc/self/fd/7 dev/shm; ln -s /proc/self/fd dev/pts';
    await engine.must(gantry, ['import', '-', image], { stdin: await busyboxTree(swap) });
    const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
    const probe = 'echo evil > /dev/null; [ -c /dev/null ] && mount | grep -c /dev/shm';
    for (const flags of [[], ['-t']]) {
      const { stdout, stderr } = await engine.run(gantry, [
        ...['run', '--rm', ...flags, image, 'sh', '-c', probe],
      ]);
      expect(`${stdout}${stderr}`.trim()).toBe('1');
    }
    expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before);
    await engine.must(gantry, ['rmi', image]);
  });

  test.each([
    ['/proc', 'not of type proc'],
    ['/proc/self/attr', 'inside /proc'],
    ['/srv/link/kernel', 'inside /proc'],
  ])('a volume of the image at %s does not take the place of proc (CVE-2019-16884)', async (path, reason) => {
    const image = uniqueName('proc-image');
    const tree = await busyboxTree('mkdir -p srv; ln -s /proc/sys srv/link');
    await engine.must(gantry, ['import', '--change', `VOLUME ${path}`, '-', image], { stdin: tree });
    const { code, stderr } = await engine.run(gantry, ['run', '--rm', image, 'true']);
    expect(stderr).toContain(`cannot be mounted because it is ${reason}: unknown`);
    expect(code).toBe(125);
    await engine.must(gantry, ['rmi', image]);
  });

  test('a file of proc that tells of resources may be faked, and proc itself mounted anew', async () => {
    const flags = ['-v', '/etc/hostname:/proc/uptime:ro', '-v', '/proc:/proc'];
    expect(await sh(flags.slice(0, 2), 'cat /proc/uptime')).toBe(
      readFileSync('/etc/hostname', 'utf8').trim(),
    );
    expect(await sh(flags.slice(2), '[ -e /proc/self/attr ] && echo proc')).toBe('proc');
  });
});

const FDS = Array.from({ length: 12 }, (_, index) => index + 3);

/** The tree of the busybox image as a tar, after `change` (a shell script) was applied to it. */
async function busyboxTree(change = ':'): Promise<Uint8Array> {
  const name = uniqueName('tree');
  await engine.must(gantry, ['create', '--name', name, 'busybox']);
  const script = `set -e; cd ${canary}; rm -rf tree; mkdir tree; cd tree; tar xf -; ${change}; tar cf - .`;
  const env = clientEnvironment({ host: engine.host });
  const child = Bun.spawn(['sh', '-c', `${gantry.path} export ${name} | (${script})`], {
    env,
    stdout: 'pipe',
  });
  const tree = new Uint8Array(await new Response(child.stdout).arrayBuffer());
  expect(await child.exited).toBe(0);
  await engine.must(gantry, ['rm', name]);
  return tree;
}

/** Open descriptors of a process, once it has become its program: the runtime's own go with that. */
async function descriptors(pid: number, commandLine: string): Promise<string[]> {
  await eventually('the program', () => readFileSync(`/proc/${pid}/cmdline`, 'utf8') === commandLine);
  return readdirSync(`/proc/${pid}/fd`).toSorted();
}
