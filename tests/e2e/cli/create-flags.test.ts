import { describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients, type Client } from '../../harness/programs.ts';
import { isModern } from './known.ts';

const engine = useEngine();
const directory = mkdtempSync(join(tmpdir(), 'gantry-e2e-flags-'));
engine.defer(async () => rmSync(directory, { recursive: true, force: true }));

/** Runs a shell script in a container made with `flags`; answers the lines it printed. */
async function inside(client: Client, flags: readonly string[], script: string): Promise<string[]> {
  const out = await engine.must(client, ['run', '--rm', ...flags, 'busybox', 'sh', '-c', script]);
  return out.split('\n');
}

/** What inspect says of a container created with `flags`. */
async function created(client: Client, flags: readonly string[], format: string): Promise<unknown> {
  const id = await engine.must(client, ['create', ...flags, 'busybox', 'true']);
  const shown = await engine.must(client, ['inspect', '-f', format, id]);
  await engine.must(client, ['rm', '-v', id]);
  return JSON.parse(shown);
}

const on = (path: string) => `/sys/fs/cgroup/${path}`;
const hasV1 = (): boolean => {
  try {
    return statSync('/sys/fs/cgroup/memory').isDirectory();
  } catch {
    return false;
  }
};

describe.each(allClients())('$name create flags, seen inside', (client) => {
  test('--env, --env-file, --hostname, --domainname, --add-host, --dns*, --workdir, --user, --group-add', async () => {
    const envFile = join(directory, 'env');
    writeFileSync(envFile, '# comment\nFROM_FILE=file value\nHOME_OF_TESTS\n');
    const flags = ['-e', 'A=1', '--env', 'B=two words', '--env-file', envFile];
    flags.push('-h', 'box', '--domainname', 'example.org', '--add-host', 'other.test:192.0.2.7');
    flags.push('--dns', '192.0.2.53', '--dns-option', 'ndots:3', '--dns-search', 'search.test');
    flags.push('-w', '/var/work', '-u', '12:34', '--group-add', '55', '--group-add', 'daemon');
    const script =
      'echo $A,$B,$FROM_FILE,$HOME_OF_TESTS; hostname -f; grep other.test /etc/hosts; cat /etc/resolv.conf; pwd; id';
    expect(await inside(client, flags, script)).toEqual([
      '1,two words,file value,',
      'box.example.org',
      expect.stringMatching(/^192\.0\.2\.7\s+other\.test$/),
      'search search.test',
      'nameserver 192.0.2.53',
      'options ndots:3',
      '/var/work',
      'uid=12 gid=34 groups=1(daemon),34,55',
    ]);
  });

  test.skipIf(!hasV1())('limits: cpu, cpuset, memory, pids (cgroup v1)', async () => {
    const flags = ['-c', '512', '--cpu-period', '50000', '--cpu-quota', '25000', '--cpuset-cpus', '0'];
    flags.push('--cpuset-mems', '0', '-m', '64m', '--memory-reservation', '32m', '--memory-swap', '128m');
    flags.push(
      '--memory-swappiness',
      '10',
      '--pids-limit',
      '50',
      '--oom-kill-disable',
      '--oom-score-adj',
      '300',
    );
    const files = ['cpu/cpu.shares', 'cpu/cpu.cfs_period_us', 'cpu/cpu.cfs_quota_us', 'cpuset/cpuset.cpus'];
    files.push('cpuset/cpuset.mems', 'memory/memory.limit_in_bytes', 'memory/memory.soft_limit_in_bytes');
    files.push('memory/memory.memsw.limit_in_bytes', 'memory/memory.swappiness', 'pids/pids.max');
    const script = `cat ${files.map(on).join(' ')}; head -1 ${on('memory/memory.oom_control')}; cat /proc/self/oom_score_adj`;
    expect(await inside(client, flags, script)).toEqual(
      ['512', '50000', '25000', '0', '0', '67108864', '33554432', '134217728', '10', '50'].concat(
        'oom_kill_disable 1',
        '300',
      ),
    );
    expect(await inside(client, ['--cpus', '0.5'], `cat ${on('cpu/cpu.cfs_quota_us')}`)).toEqual(['50000']);
  });

  test.skipIf(!hasV1())('limits: --device-read-bps and its kin, --cgroup-parent (cgroup v1)', async () => {
    const [major, minor] = diskNumber();
    const name = diskName();
    const flags = ['--device-read-bps', `${name}:1mb`, '--device-write-bps', `${name}:2mb`];
    flags.push('--device-read-iops', `${name}:100`, '--device-write-iops', `${name}:200`);
    const files = ['read_bps', 'write_bps', 'read_iops', 'write_iops'];
    const script = `cat ${files.map((file) => on(`blkio/blkio.throttle.${file}_device`)).join(' ')}`;
    const disk = `${major}:${minor}`;
    expect(await inside(client, flags, script)).toEqual([
      `${disk} 1048576`,
      `${disk} 2097152`,
      `${disk} 100`,
      `${disk} 200`,
    ]);
    const parent = `/gantry-test/parent-${process.pid}`;
    const lines = await inside(
      client,
      ['--cgroup-parent', parent, '--cgroupns', 'host'],
      'cat /proc/self/cgroup',
    );
    expect(lines.find((line) => line.includes(':memory:'))).toContain(`:${parent}/`);
  });

  test('capabilities, --security-opt, --privileged, --device, --device-cgroup-rule', async () => {
    const status = 'grep -E "CapEff|NoNewPrivs|Seccomp:" /proc/self/status | tr -d "\\t"';
    const hardened = [
      '--cap-drop',
      'ALL',
      '--cap-add',
      'NET_BIND_SERVICE',
      '--security-opt',
      'no-new-privileges',
    ];
    expect(await inside(client, hardened, status)).toEqual([
      'CapEff:0000000000000400',
      'NoNewPrivs:1',
      'Seccomp:2',
    ]);
    const open = ['--security-opt', 'seccomp=unconfined', '--security-opt', 'apparmor=unconfined'];
    expect(await inside(client, [...open, '--security-opt', 'label=disable'], status)).toContain('Seccomp:0');
    const [capabilities = ''] = await inside(client, ['--privileged'], status);
    expect(BigInt(`0x${capabilities.split(':')[1]}`)).toBeGreaterThan(0xa80425fbn);
    // 10:229 (fuse) is not among the devices that every container may use.
    const device = ['--device', '/dev/null:/dev/other:r', '--device-cgroup-rule', 'c 10:229 r'];
    const script =
      'stat -c %t:%T /dev/other; mknod /tmp/f c 10 229; for how in "<" ">"; do sh -c ": $how /tmp/f" 2>&1 | grep -c "not permitted"; done';
    expect(await inside(client, device, script)).toEqual(['1:3', '0', '1']);
  });

  test('namespaces: --ipc, --pid, --uts, --cgroupns, --userns, --network of host, none and container', async () => {
    const kinds = ['ipc', 'pid', 'uts', 'cgroup', 'user', 'net'];
    const script = kinds.map((kind) => `readlink /proc/self/ns/${kind}`).join('; ');
    const flags = [
      '--ipc',
      'host',
      '--pid',
      'host',
      '--uts',
      'host',
      '--cgroupns',
      'host',
      '--userns',
      'host',
    ];
    const here = await inside(client, [...flags, '--network', 'host'], script);
    const own = await inside(client, ['--cgroupns', 'private'], script);
    for (const [index, kind] of kinds.entries())
      if (kind !== 'user') expect([kind, own[index]]).not.toEqual([kind, here[index]]);
    expect(here[0]).toBe(readLink('ipc'));
    expect(await inside(client, ['--network', 'none'], 'ls /sys/class/net')).toEqual(['lo']);
    const name = uniqueName('ns');
    await engine.must(client, [
      'run',
      '-d',
      '--name',
      name,
      '--ipc',
      'shareable',
      'busybox',
      'sleep',
      '1000',
    ]);
    const joined = ['--ipc', 'pid', 'network'].map((kind) => kind.replace('--', ''));
    const theirs = await inside(
      client,
      joined.flatMap((kind) => [`--${kind}`, `container:${name}`]),
      `${script}; ps`,
    );
    const target = (await engine.must(client, ['exec', name, 'sh', '-c', script])).split('\n');
    for (const kind of ['ipc', 'pid', 'net'])
      expect(theirs[kinds.indexOf(kind)]).toBe(target[kinds.indexOf(kind)] ?? '');
    expect(theirs.join('\n')).toContain('sleep 1000');
    await engine.must(client, ['rm', '-f', name]);
  });

  test('files: --volume, --mount, --volumes-from, --tmpfs, --read-only, --shm-size', async () => {
    writeFileSync(join(directory, 'host-file'), 'from the host\n');
    const [volume, donor] = [uniqueName('volume'), uniqueName('donor')];
    const binds = ['-v', `${directory}:/bind:ro`, '--volume', `${volume}:/named`, '-v', '/anonymous'];
    await engine.must(client, ['create', '--name', donor, ...binds, 'busybox']);
    const flags = ['--volumes-from', donor, '--read-only', '--tmpfs', '/tmp/small:size=1m,mode=1770'];
    flags.push('--mount', `type=bind,source=${directory},target=/mounted,readonly`);
    flags.push('--mount', 'type=tmpfs,destination=/scratch,tmpfs-size=2m', '--shm-size', '8m');
    const script = [
      'cat /bind/host-file /mounted/host-file; echo data > /named/file; touch /anonymous/file',
      'touch /bind/x 2>/dev/null || echo bind ro; touch /x 2>/dev/null || echo root ro',
      "for m in /tmp/small /scratch /dev/shm; do df -k $m | tail -1 | awk '{print $2}'; done; stat -c %a /tmp/small",
    ].join('; ');
    expect(await inside(client, flags, script)).toEqual([
      ...['from the host', 'from the host', 'bind ro', 'root ro'],
      ...['1024', '2048', '8192', '1770'],
    ]);
    expect(await inside(client, ['-v', `${volume}:/v`], 'cat /v/file')).toEqual(['data']);
    await engine.must(client, ['rm', '-v', donor]);
    await engine.must(client, ['volume', 'rm', volume]);
  });

  test('processes: --init, --sysctl, --ulimit, --entrypoint, --tty, --mac-address', async () => {
    const flags = [
      '--init',
      '--sysctl',
      'net.ipv4.ip_forward=0',
      '--ulimit',
      'nofile=100:200',
      '--ulimit',
      'core=0',
    ];
    const script =
      "tr '\\0' ' ' < /proc/1/cmdline | grep -c init; cat /proc/sys/net/ipv4/ip_forward; ulimit -n; ulimit -Hn; ulimit -c; cat /sys/class/net/eth0/address";
    const lines = await inside(client, [...flags, '--mac-address', '02:11:22:33:44:55'], script);
    expect(lines).toEqual(['1', '0', '100', '200', '0', '02:11:22:33:44:55']);
    const entry = await engine.must(client, [
      'run',
      '--rm',
      '-t',
      '--entrypoint',
      'echo',
      'busybox',
      'from',
      'entry',
    ]);
    expect(entry).toBe('from entry\r');
  });
});

const readLink = (kind: string): string =>
  Bun.spawnSync(['readlink', `/proc/self/ns/${kind}`])
    .stdout.toString()
    .trim();

/** A block device of this machine, for throttling rules. */
function diskName(): string {
  const [, , , name = ''] = diskLine();
  return `/dev/${name}`;
}

const diskNumber = (): readonly string[] => diskLine().slice(0, 2);

function diskLine(): string[] {
  const lines = readFileSync('/proc/partitions', 'utf8').trimEnd().split('\n').slice(2);
  return (
    lines
      .map((line) => line.trim().split(/\s+/))
      .find(([, , , name = '']) => /^(vd|sd|nvme\d+n|xvd)/.test(name)) ?? []
  );
}

describe.each(allClients())('$name create flags, in inspect', (client) => {
  test('host configuration', async () => {
    const flags = ['--restart', 'on-failure:3', '--log-driver', 'json-file', '--log-opt', 'max-size=1m'];
    flags.push('--log-opt', 'max-file=2', '-p', '127.0.0.1:0:80', '-P', '--expose', '7000-7001/udp');
    flags.push(
      '--stop-signal',
      'SIGUSR1',
      '--stop-timeout',
      '7',
      '--runtime',
      'runc',
      '--isolation',
      'default',
    );
    const format =
      '{"policy":{{json .HostConfig.RestartPolicy}},"log":{{json .HostConfig.LogConfig}},"ports":{{json .HostConfig.PortBindings}},' +
      '"all":{{.HostConfig.PublishAllPorts}},"exposed":{{json .Config.ExposedPorts}},"signal":{{json .Config.StopSignal}},' +
      '"timeout":{{.Config.StopTimeout}},"runtime":{{json .HostConfig.Runtime}}}';
    expect(await created(client, flags, format)).toEqual({
      policy: { Name: 'on-failure', MaximumRetryCount: 3 },
      log: { Type: 'json-file', Config: { 'max-file': '2', 'max-size': '1m' } },
      ports: { '80/tcp': [{ HostIp: '127.0.0.1', HostPort: '0' }] },
      all: true,
      exposed: { '80/tcp': {}, '7000/udp': {}, '7001/udp': {} },
      signal: 'SIGUSR1',
      timeout: 7,
      runtime: 'runc',
    });
  });

  test('labels, health, attached streams, names', async () => {
    const labels = join(directory, 'labels');
    writeFileSync(labels, 'from.file=1\n# comment\n');
    const flags = ['-l', 'a=1', '--label', 'b', '--label-file', labels, '-i', '-a', 'stdout'];
    flags.push('--health-cmd', 'true', '--health-interval', '5s', '--health-timeout', '2s');
    flags.push('--health-retries', '4', '--health-start-period', '1m');
    const format =
      '{"labels":{{json .Config.Labels}},"health":{{json .Config.Healthcheck}},"open":{{.Config.OpenStdin}},"out":{{.Config.AttachStdout}},"err":{{.Config.AttachStderr}}}';
    expect(await created(client, flags, format)).toEqual({
      labels: { a: '1', b: '', 'from.file': '1' },
      health: { Test: ['CMD-SHELL', 'true'], Interval: 5e9, Timeout: 2e9, Retries: 4, StartPeriod: 6e10 },
      open: true,
      out: true,
      err: false,
    });
    expect(await created(client, ['--no-healthcheck'], '{{json .Config.Healthcheck}}')).toEqual({
      Test: ['NONE'],
    });
  });

  test('--cidfile, --name, --pull never', async () => {
    const cidfile = join(directory, uniqueName('cid'));
    const name = uniqueName('named');
    const id = await engine.must(client, [
      'create',
      '--cidfile',
      cidfile,
      '--name',
      name,
      '--pull',
      'never',
      'busybox',
    ]);
    expect(readFileSync(cidfile, 'utf8')).toBe(id);
    expect(await engine.must(client, ['inspect', '-f', '{{.Name}}', id])).toBe(`/${name}`);
    expect((await engine.run(client, ['create', '--cidfile', cidfile, 'busybox'])).code).not.toBe(0);
    await engine.must(client, ['rm', name]);
  });

  test.skipIf(!isModern(client))('--annotation, --health-start-interval, --quiet', async () => {
    const flags = [
      '--annotation',
      'test.key=value',
      '--health-cmd',
      'true',
      '--health-start-interval',
      '3s',
      '-q',
    ];
    const format =
      '{"annotations":{{json .HostConfig.Annotations}},"interval":{{.Config.Healthcheck.StartInterval.Nanoseconds}}}';
    const raw = format.replace('.Nanoseconds', '');
    const shown = await created(client, flags, client.name === 'gantry' ? raw : format).catch(() =>
      created(client, flags, raw.replace('{{.Config', '{{json .Config')),
    );
    expect(shown).toEqual({ annotations: { 'test.key': 'value' }, interval: 3e9 });
  });
});

const ONLY_WINDOWS = /only supported on a Docker daemon running on windows/;
const OWN_NETWORKS = /user specified IP address is supported on user defined networks only/;

/** Flags, exit code, text, and whether docker 20.10 is spared: it sends them in a way of its own. */
const REFUSED: readonly (readonly [flags: string, code: number, text: RegExp, modernOnly?: true])[] = [
  ['--cpu-count 1', 1, ONLY_WINDOWS],
  ['--cpu-percent 1', 1, ONLY_WINDOWS],
  ['--io-maxbandwidth 1m', 1, ONLY_WINDOWS],
  ['--io-maxiops 1', 1, ONLY_WINDOWS],
  ['--isolation hyperv', 125, /invalid isolation/i],
  ['--gpus all', 125, /could not select device driver "" with capabilities: \[\[gpu\]\]/],
  ['--runtime nope', 125, /nope/],
  ['--ip 10.1.2.3', 125, OWN_NETWORKS, true],
  ['--ip6 fd00::1', 125, OWN_NETWORKS, true],
  ['--network-alias x', 125, /network-scoped alias.* user.defined networks/, true],
  ['--memory 1k', 125, /Minimum memory limit allowed is 6MB/i],
  ['--cpus 1000', 125, /Range of CPUs is from 0\.01 to/i],
  ['--sysctl kernel.hostname=x', 125, /kernel\.hostname/],
  ['--restart=always', 125, /conflicting options: .*--restart and --rm/i],
  // The clients take any "no such file or directory" for a command that is not there.
  ['--device /dev/no-such-device', 127, /no-such-device/],
  ['--security-opt nonsense', 125, /invalid --security-opt/i],
  ['--cgroupns sideways', 125, /invalid cgroup mode|cgroupns|cgroup namespace mode/i],
  ['--log-driver nope', 125, /nope/],
  ['--cap-add NOPE', 125, /NOPE/],
  ['--mount type=bind,target=/x', 125, /source/i],
  ['--stop-signal NOPE', 125, /invalid signal: NOPE/i],
];

describe.each(allClients())('$name create flags that are refused', (client) => {
  const rows = REFUSED.filter(([, , , modernOnly]) => !modernOnly || isModern(client));

  test.each(rows.map((row) => [...row] as const))('run %s', async (flags, code, message) => {
    const before = await engine.must(client, ['ps', '-aq']);
    const result = await engine.run(client, ['run', '--rm', ...flags.split(' '), 'busybox', 'true']);
    expect(result.stderr).toMatch(message);
    expect(result.code).toBe(code);
    expect(await engine.must(client, ['ps', '-aq'])).toBe(before);
  });
});
