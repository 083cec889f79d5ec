import { describe, expect, test } from 'bun:test';
import { existsSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { givenHost } from '../../harness/daemon.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, type Result } from '../../harness/programs.ts';

// On a host without SELinux the flag changes nothing.
const engine = useEngine({ flags: ['--selinux-enabled'] });
/** The host's own namespaces, read where the engine is. */
const hostNamespace = (kind: string): string => readlinkSync(`/proc/self/ns/${kind}`);
const isV1 = existsSync('/sys/fs/cgroup/memory');

describe.each(allClients())('isolation options: $name', (client) => {
  const must = (...args: string[]): Promise<string> => engine.must(client, args);
  const sh = (flags: readonly string[], script: string): Promise<string> =>
    must('run', '--rm', ...flags, 'busybox', 'sh', '-c', script);
  const fails = (...flags: string[]): Promise<Result> =>
    engine.run(client, ['run', '--rm', ...flags, 'busybox', 'true']);

  test('--ipc: private, shareable, none, host, container', async () => {
    const show = 'readlink /proc/self/ns/ipc; grep -c " /dev/shm " /proc/mounts';
    const [own, mounted] = (await sh(['--ipc', 'private'], show)).split('\n');
    expect(own).not.toBe(hostNamespace('ipc'));
    expect(mounted).toBe('1');
    // A namespace of its own, without shared memory to use in it.
    const none = (await sh(['--ipc', 'none'], `${show} || true`)).split('\n');
    expect(none[0]).not.toBe(hostNamespace('ipc'));
    expect(none[1]).toBe('0');
    if (!givenHost()) expect(await sh(['--ipc', 'host'], show)).toStartWith(hostNamespace('ipc'));
    const donor = uniqueName('ipc');
    await must(
      'run',
      '-d',
      '--name',
      donor,
      '--ipc',
      'shareable',
      '--shm-size',
      '4m',
      'busybox',
      'sleep',
      '1000',
    );
    await must('exec', donor, 'sh', '-c', 'echo theirs > /dev/shm/note');
    const joined = await sh(['--ipc', `container:${donor}`], 'cat /dev/shm/note; readlink /proc/self/ns/ipc');
    expect(joined).toBe(`theirs\n${await must('exec', donor, 'readlink', '/proc/self/ns/ipc')}`);
    expect(await must('exec', donor, 'sh', '-c', 'df -k /dev/shm | tail -1')).toMatch(/ 4096 /);
    await must('rm', '-f', donor);
    const closed = uniqueName('closed');
    await must('run', '-d', '--name', closed, '--ipc', 'private', 'busybox', 'sleep', '1000');
    const refused = await fails('--ipc', `container:${closed}`);
    expect(refused.code).toBe(125);
    expect(refused.stderr).toContain(
      'non-shareable IPC (hint: use IpcMode:shareable for the donor container)',
    );
    await must('rm', '-f', closed);
    expect((await fails('--ipc', 'nonsense')).stderr).toContain('nonsense');
  });

  test('--pid: own, host, container; a dead one cannot be joined', async () => {
    expect(await sh([], 'echo $$')).toBe('1');
    if (!givenHost())
      expect(await sh(['--pid', 'host'], 'readlink /proc/self/ns/pid')).toBe(hostNamespace('pid'));
    const donor = uniqueName('pid');
    await must('run', '-d', '--name', donor, 'busybox', 'sleep', '1000');
    expect(await sh(['--pid', `container:${donor}`], 'cat /proc/1/cmdline | tr "\\0" " "')).toBe(
      'sleep 1000 ',
    );
    await must('rm', '-f', donor);
    const stopped = (await must('create', '--name', donor, '--ipc', 'shareable', 'busybox', 'true')).trim();
    for (const [flag, kind] of [
      ['--pid', 'PID'],
      ['--ipc', 'IPC'],
    ] as const) {
      const refused = await fails(flag, `container:${donor}`);
      expect(refused.code).toBe(125);
      expect(refused.stderr).toContain(
        `failed to join ${kind} namespace: container ${stopped} is not running`,
      );
    }
    await must('rm', donor);
  });

  test('--uts: own hostname and domain; host', async () => {
    const show = 'hostname; cat /proc/sys/kernel/domainname';
    expect(await sh(['-h', 'box', '--domainname', 'example.test'], show)).toBe('box\nexample.test');
    if (!givenHost()) {
      const there = await sh(['--uts', 'host'], 'hostname; readlink /proc/self/ns/uts');
      expect(there).toBe(`${hostname()}\n${hostNamespace('uts')}`);
    }
    expect((await fails('--uts', 'host', '-h', 'box')).stderr).toContain(
      'conflicting options: hostname and the UTS mode',
    );
  });

  test('--cgroupns and --cgroup-parent', async () => {
    const show = 'readlink /proc/self/ns/cgroup; cat /proc/self/cgroup';
    const own = await sh(['--cgroupns', 'private'], show);
    const paths = own
      .split('\n')
      .slice(1)
      .map((line) => line.split(':').slice(2).join(':'));
    expect(own).not.toStartWith(hostNamespace('cgroup'));
    expect(paths.filter((path) => path !== '/')).toEqual([]);
    const parent = `/gantry-test-${uniqueName('parent')}`;
    const seen = await sh(['--cgroupns', 'host', '--cgroup-parent', parent], show);
    if (!givenHost()) expect(seen).toStartWith(hostNamespace('cgroup'));
    expect(seen).toMatch(
      new RegExp(`^\\d+:${isV1 ? '[a-z,=]*memory[a-z,=]*' : ''}:${parent}/[0-9a-f]{64}$`, 'm'),
    );
    expect((await fails('--cgroupns', 'nonsense')).stderr).toContain('--cgroupns: invalid CGROUP mode');
  });

  test('--group-add: names and numbers, exactly these; unknown names are refused', async () => {
    expect(await sh(['-u', '1000:1001', '--group-add', 'tty', '--group-add', '4242'], 'id -G')).toBe(
      `1001 ${await sh([], "sed -n 's/^tty:[^:]*:\\([0-9]*\\):.*/\\1/p' /etc/group")} 4242`,
    );
    const refused = await fails('--group-add', 'no-such-group');
    expect(refused.stderr).toContain('unable to find group no-such-group');
    expect(await sh([], "sed -n 's/^CapInh:\\t//p' /proc/self/status")).toBe('0000000000000000');
  });

  test('--read-only with --tmpfs, and their options', async () => {
    const flags = ['--read-only', '--tmpfs', '/scratch:size=1m,mode=1770,exec', '--tmpfs', '/plain'];
    const script = `
      touch /x 2>/dev/null && echo bad; touch /scratch/x /plain/x && echo good
      stat -c %a /scratch; grep ' /scratch ' /proc/mounts; grep ' /plain ' /proc/mounts`;
    const [good, mode, scratch, plain] = (await sh(flags, script)).split('\n');
    expect([good, mode]).toEqual(['good', '1770']);
    expect(scratch).toContain('size=1024k');
    expect(scratch).not.toContain('noexec');
    expect(plain).toContain('noexec');
    const full = await engine.run(client, [
      ...['run', '--rm', ...flags, 'busybox', 'sh', '-c', 'dd if=/dev/zero of=/scratch/f bs=64k count=32'],
    ]);
    expect(full.stderr).toContain('No space left on device');
  });

  test('systempaths=unconfined: nothing is masked or read-only', async () => {
    const count = 'grep -cE " /proc/(kcore|keys|sys|bus|irq|timer_list|acpi|scsi) " /proc/mounts || true';
    expect(Number(await sh([], count))).toBeGreaterThan(4);
    expect(await sh(['--security-opt', 'systempaths=unconfined'], count)).toBe('0');
  });

  test('writable-cgroups: only where asked for', async () => {
    const show =
      'grep -E "cgroup2? " /proc/mounts | grep -v "^tmpfs" | grep -cE " (/sys/fs/cgroup[^ ]*) cgroup2? rw,"';
    expect(await sh([], `${show} || true`)).toBe('0');
    expect(Number(await sh(['--security-opt', 'writable-cgroups=true'], `${show} || true`))).toBeGreaterThan(
      0,
    );
  });

  test('security options: accepted without effect here, or refused', async () => {
    const none = ['--security-opt', 'label=disable', '--security-opt', 'label=type:svirt_lxc_net_t'];
    expect(await sh(none, 'echo ran')).toBe('ran');
    if (!existsSync('/sys/fs/selinux/enforce')) {
      const name = uniqueName('labels');
      await must('create', '--name', name, ...none, 'busybox', 'true');
      expect(await must('inspect', '-f', '{{.ProcessLabel}}|{{.MountLabel}}', name)).toBe('|');
      await must('rm', name);
    }
    if (!existsSync('/sys/kernel/security/apparmor')) {
      expect(await sh(['--security-opt', 'apparmor=no-such-profile'], 'echo ran')).toBe('ran');
      const name = uniqueName('apparmor');
      await must('run', '--name', name, '--security-opt', 'apparmor=unconfined', 'busybox', 'true');
      expect(await must('inspect', '-f', '{{.AppArmorProfile}}|{{.HostConfig.SecurityOpt}}', name)).toBe(
        '|[apparmor=unconfined]',
      );
      await must('rm', name);
    }
    for (const option of ['nonsense=1', 'no-new-privileges=maybe', 'writable-cgroups=maybe']) {
      const { code, stderr } = await fails('--security-opt', option);
      expect([option, code]).toEqual([option, 125]);
      expect(stderr).toContain(`invalid --security-opt 2: "${option}"`);
    }
    expect((await fails('--security-opt', 'nonsense')).code).not.toBe(0);
  });
});
