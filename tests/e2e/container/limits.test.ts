import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { callApi } from '../../harness/api.ts';
import { givenHost } from '../../harness/daemon.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { gantryClient } from '../../harness/programs.ts';

const engine = useEngine({
  flags: ['--default-ulimit', 'nofile=50:60', '--default-cgroupns-mode', 'private'],
});
const MB = 1024 * 1024;
const isV1 = existsSync('/sys/fs/cgroup/memory');

/** A whole disk of the machine; undefined: there is none to limit. */
function disk(): { path: string; number: string } | undefined {
  const name = readdirSync('/sys/block').find(
    (block) => !/^(loop|ram|zram|sr|fd|dm-)/.test(block) && existsSync(`/dev/${block}`),
  );
  if (name === undefined) return undefined;
  return { path: `/dev/${name}`, number: readFileSync(`/sys/block/${name}/dev`, 'utf8').trim() };
}
const node = disk();
const rate = (value: number) => (node ? [{ Path: node.path, Rate: value }] : []);

type Limits = Readonly<Record<string, unknown>>;

/** One limit: what is asked at create and by update, and the file of the cgroup that then holds it. */
interface Row {
  readonly given: Limits;
  readonly updated?: Limits;
  readonly v1: readonly [controller: string, file: string] | undefined;
  readonly v2: string | undefined;
  readonly expected: readonly [created: RegExp, updated?: RegExp];
}

const exact = (value: number | string): RegExp => new RegExp(`(^|\\s)${value}($|\\s)`);
const blkio = (file: string) => ['blkio', `blkio.throttle.${file}_device`] as const;
const onDisk = (v1: string, v2: string) =>
  new RegExp(`^${node?.number} ${isV1 ? `${v1}$` : `(.* )?${v2}( |$)`}`, 'm');

const blkioWeight: Row = {
  given: { BlkioWeight: 200 },
  updated: { BlkioWeight: 300 },
  v1: ['blkio', 'blkio.bfq.weight'],
  v2: 'io.bfq.weight',
  expected: [exact(200), exact(300)],
};

const ROWS: Readonly<Record<string, Row>> = {
  CpuShares: {
    given: { CpuShares: 512 },
    updated: { CpuShares: 256 },
    v1: ['cpu', 'cpu.shares'],
    v2: 'cpu.weight',
    expected: [isV1 ? /^512$/ : /^(20|59)$/, isV1 ? /^256$/ : /^(10|35)$/],
  },
  CpuQuota: {
    given: { CpuQuota: 40_000, CpuPeriod: 80_000 },
    updated: { CpuQuota: 20_000 },
    v1: ['cpu', 'cpu.cfs_quota_us'],
    v2: 'cpu.max',
    expected: [/^40000/, /^20000/],
  },
  'CpuQuota taken away': {
    given: { CpuQuota: 40_000 },
    updated: { CpuQuota: -1 },
    v1: ['cpu', 'cpu.cfs_quota_us'],
    v2: 'cpu.max',
    expected: [/^40000/, /^(-1|max)/],
  },
  'CpuQuota, none from the start': {
    given: { CpuQuota: -1 },
    v1: ['cpu', 'cpu.cfs_quota_us'],
    v2: 'cpu.max',
    expected: [/^(-1|max)/],
  },
  CpuPeriod: {
    given: { CpuPeriod: 50_000, CpuQuota: 25_000 },
    updated: { CpuPeriod: 60_000 },
    v1: ['cpu', 'cpu.cfs_period_us'],
    v2: 'cpu.max',
    expected: [/50000$/, /60000$/],
  },
  NanoCpus: {
    given: { NanoCpus: 5e8 },
    updated: { NanoCpus: 25e7 },
    v1: ['cpu', 'cpu.cfs_quota_us'],
    v2: 'cpu.max',
    expected: [/^50000/, /^25000/],
  },
  CpusetCpus: {
    given: { CpusetCpus: '0' },
    updated: { CpusetCpus: '0-1' },
    v1: ['cpuset', 'cpuset.cpus'],
    v2: 'cpuset.cpus',
    expected: [/^0$/, /^0-1$/],
  },
  CpusetMems: {
    given: { CpusetMems: '0' },
    v1: ['cpuset', 'cpuset.mems'],
    v2: 'cpuset.mems',
    expected: [/^0$/],
  },
  Memory: {
    given: { Memory: 64 * MB },
    updated: { Memory: 32 * MB },
    v1: ['memory', 'memory.limit_in_bytes'],
    v2: 'memory.max',
    expected: [exact(64 * MB), exact(32 * MB)],
  },
  MemorySwap: {
    given: { Memory: 64 * MB, MemorySwap: 80 * MB },
    updated: { Memory: 64 * MB, MemorySwap: 96 * MB },
    v1: ['memory', 'memory.memsw.limit_in_bytes'],
    v2: 'memory.swap.max',
    expected: [exact((isV1 ? 80 : 16) * MB), exact((isV1 ? 96 : 32) * MB)],
  },
  'MemorySwap without a limit': {
    given: { Memory: 64 * MB, MemorySwap: -5 },
    v1: ['memory', 'memory.memsw.limit_in_bytes'],
    v2: 'memory.swap.max',
    expected: [/^(max|9223372036854771712)$/],
  },
  MemoryReservation: {
    given: { MemoryReservation: 32 * MB },
    updated: { MemoryReservation: 16 * MB },
    v1: ['memory', 'memory.soft_limit_in_bytes'],
    v2: 'memory.low',
    expected: [exact(32 * MB), exact(16 * MB)],
  },
  MemorySwappiness: {
    given: { MemorySwappiness: 10 },
    v1: ['memory', 'memory.swappiness'],
    v2: undefined,
    expected: [/^10$/],
  },
  OomKillDisable: {
    given: { OomKillDisable: true, Memory: 64 * MB },
    v1: ['memory', 'memory.oom_control'],
    v2: undefined,
    expected: [/^oom_kill_disable 1$/m],
  },
  PidsLimit: {
    given: { PidsLimit: 50 },
    updated: { PidsLimit: -1 },
    v1: ['pids', 'pids.max'],
    v2: 'pids.max',
    expected: [/^50$/, /^max$/],
  },
  // The reference engine does not know the scheduler's name for it and warns.
  ...(givenHost() === undefined && { BlkioWeight: blkioWeight }),
  BlkioDeviceReadBps: {
    given: { BlkioDeviceReadBps: rate(MB) },
    // Since API 1.55.
    ...(givenHost() === undefined && { updated: { BlkioDeviceReadBps: rate(2 * MB) } }),
    v1: blkio('read_bps'),
    v2: 'io.max',
    expected: [onDisk(`${MB}`, `rbps=${MB}`), onDisk(`${2 * MB}`, `rbps=${2 * MB}`)],
  },
  BlkioDeviceWriteBps: {
    given: { BlkioDeviceWriteBps: rate(MB) },
    v1: blkio('write_bps'),
    v2: 'io.max',
    expected: [onDisk(`${MB}`, `wbps=${MB}`)],
  },
  BlkioDeviceReadIOps: {
    given: { BlkioDeviceReadIOps: rate(100) },
    v1: blkio('read_iops'),
    v2: 'io.max',
    expected: [onDisk('100', 'riops=100')],
  },
  BlkioDeviceWriteIOps: {
    given: { BlkioDeviceWriteIOps: rate(100) },
    v1: blkio('write_iops'),
    v2: 'io.max',
    expected: [onDisk('100', 'wiops=100')],
  },
};

const post = (path: string, body?: unknown) => callApi(engine.host, 'POST', `/v1.41${path}`, { body });

interface Inspected {
  readonly State: { readonly Pid: number };
  readonly HostConfig: Limits;
}
async function inspect(id: string): Promise<Inspected> {
  return (await callApi(engine.host, 'GET', `/v1.41/containers/${id}/json`)).json as Inspected;
}

async function run(hostConfig: Limits): Promise<string> {
  const body = { Image: 'busybox', Cmd: ['sleep', '1000'], HostConfig: hostConfig };
  const created = await post(`/containers/create?name=${uniqueName('limit')}`, body);
  expect([created.message, created.status]).toEqual(['', 201]);
  const { Id, Warnings } = created.json as { Id: string; Warnings: string[] };
  expect(Warnings).toEqual([]);
  const started = await post(`/containers/${Id}/start`);
  expect([started.message, started.status]).toEqual(['', 204]);
  return Id;
}

/** What the kernel holds; undefined: it has no such file, as `blkio` weights without the scheduler that has them. */
async function kernelValue(id: string, { v1, v2 }: Row): Promise<string | undefined> {
  const { State } = await inspect(id);
  const lines = readFileSync(`/proc/${State.Pid}/cgroup`, 'utf8').split('\n');
  const pathOf = (name: string) => lines.find((line) => line.split(':')[1] === name)?.split(':')[2];
  const file = isV1 ? v1 && `${v1[0]}${pathOf(v1[0])}/${v1[1]}` : v2 && `${pathOf('')}/${v2}`;
  if (!file || !existsSync(`/sys/fs/cgroup/${file}`)) return undefined;
  return readFileSync(`/sys/fs/cgroup/${file}`, 'utf8').trim();
}

const remove = (id: string) => callApi(engine.host, 'DELETE', `/containers/${id}?force=1`);
const isHere = ({ v1, v2, given }: Row): boolean =>
  (isV1 ? v1 : v2) !== undefined && (node !== undefined || !JSON.stringify(given).includes('[]'));

describe.each(Object.entries(ROWS).filter(([, row]) => isHere(row)))('%s', (_, row) => {
  let id = '';
  let isKnown = true;
  beforeAll(async () => {
    id = await run(row.given);
  });
  afterAll(async () => void (await remove(id)));

  test('is in the kernel after create', async () => {
    const value = await kernelValue(id, row);
    isKnown = value !== undefined;
    if (value !== undefined) expect(value).toMatch(row.expected[0]);
    else expect(Object.keys(row.given)).toEqual(['BlkioWeight']);
  });

  test.if(row.updated !== undefined)('and after update; inspect says so', async () => {
    const answer = await callApi(engine.host, 'POST', `/containers/${id}/update`, { body: row.updated });
    expect([answer.message, answer.status]).toEqual(['', 200]);
    if (isKnown) expect(await kernelValue(id, row)).toMatch(row.expected[1] ?? /never/);
    const [name = '', value] = Object.entries(row.updated ?? {}).at(-1) ?? [];
    const shown = (await inspect(id)).HostConfig[name];
    expect(name === 'PidsLimit' ? Math.min(Number(shown), 0) : shown).toEqual(
      name === 'PidsLimit' ? 0 : value,
    );
  });
});

test.if(givenHost() === undefined)(
  'limits live on in the kernel and in inspect when the daemon was killed, and can be changed afterwards',
  async () => {
    const id = await run({ Memory: 64 * MB, PidsLimit: 50, CpuShares: 512, CpusetCpus: '0' });
    const before = (await inspect(id)).HostConfig;
    await engine.daemon?.crash();
    await engine.daemon?.restart();
    expect((await inspect(id)).HostConfig).toEqual(before);
    const memory = ROWS['Memory'] as Row;
    expect(await kernelValue(id, memory)).toMatch(memory.expected[0]);
    expect((await post(`/containers/${id}/update`, memory.updated)).message).toBe('');
    expect(await kernelValue(id, memory)).toMatch(memory.expected[1] ?? /never/);
    await post(`/containers/${id}/restart?t=0`);
    expect(await kernelValue(id, memory)).toMatch(memory.expected[1] ?? /never/);
    expect(await kernelValue(id, ROWS['PidsLimit'] as Row)).toBe('50');
    await remove(id);
  },
);

describe('what is not in a cgroup', () => {
  const sh = (script: string, ...flags: string[]) =>
    engine.must(gantryClient, ['run', '--rm', ...flags, 'busybox', 'sh', '-c', script]);

  test('ulimits', async () => {
    expect(await sh('ulimit -n; ulimit -Hn', '--ulimit', 'nofile=100:200')).toBe('100\n200');
  });

  test.if(givenHost() === undefined)('the daemon’s ulimits, where the container has none', async () => {
    expect(await sh('ulimit -n; ulimit -Hn')).toBe('50\n60');
    expect(await sh('ulimit -n; ulimit -Hn', '--ulimit', 'nofile=30:40')).toBe('30\n40');
  });

  test.if(givenHost() === undefined)('the daemon’s cgroup namespace', async () => {
    const show = 'readlink /proc/self/ns/cgroup';
    const host = readlinkSync('/proc/self/ns/cgroup');
    expect(await sh(show)).not.toBe(host);
    expect(await sh(show, '--cgroupns', 'host')).toBe(host);
  });

  test('the out-of-memory score, the size of shared memory, settings of the kernel', async () => {
    expect(await sh('cat /proc/self/oom_score_adj', '--oom-score-adj', '500')).toBe('500');
    expect(await sh('df -k /dev/shm | tail -1', '--shm-size', '4m')).toMatch(/ 4096 /);
    expect(await sh('cat /proc/sys/net/ipv4/ip_forward', '--sysctl', 'net.ipv4.ip_forward=0')).toBe('0');
  });

  test('ports below 1024 and ping need no privilege, unless a container that is joined says so', async () => {
    const names = '/proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range';
    expect(await sh(`cat ${names}`)).toBe('0\n0\t2147483647');
    const setting = ['--sysctl', 'net.ipv4.ip_unprivileged_port_start=500'];
    const id = await engine.must(gantryClient, ['run', '-d', ...setting, 'busybox', 'sleep', '1000']);
    expect(await sh(`cat ${names}`, '--network', `container:${id}`)).toBe('500\n0\t2147483647');
    await remove(id);
  });

  test.each([
    ['host network', ['--network', 'host', '--sysctl', 'net.ipv4.ip_forward=0'], 'net.ipv4.ip_forward'],
    ['host ipc', ['--ipc', 'host', '--sysctl', 'kernel.shmmax=1000000'], 'kernel.shmmax'],
    ['nobody', ['--sysctl', 'vm.swappiness=1'], 'vm.swappiness'],
  ])('settings that belong to the %s are refused', async (_, flags, text) => {
    const before = readFileSync(`/proc/sys/${text.replaceAll('.', '/')}`, 'utf8');
    const result = await engine.run(gantryClient, ['run', '--rm', ...flags, 'busybox', 'true']);
    expect(result.code).not.toBe(0);
    expect(result.stderr).toContain(text);
    expect(readFileSync(`/proc/sys/${text.replaceAll('.', '/')}`, 'utf8')).toBe(before);
  });

  test('a cgroup parent is below the root, however it is written', async () => {
    for (const parent of ['gantry-test-relative', '../../gantry-test-relative']) {
      const id = await run({ CgroupParent: parent });
      const { State } = await inspect(id);
      expect(readFileSync(`/proc/${State.Pid}/cgroup`, 'utf8')).toContain(`:/gantry-test-relative/${id}`);
      await remove(id);
    }
    expect(statSync('/sys/fs/cgroup').isDirectory()).toBe(true);
  });

  test.each([
    [
      { StorageOpt: { size: '10G' } },
      500,
      "--storage-opt is supported only for overlay over xfs with 'pquota'",
    ],
    [{ Runtime: 'nosuch' }, 400, 'nosuch'],
    [{ CpuRealtimePeriod: 1000, CpuRealtimeRuntime: 2000 }, 0, isV1 ? 'cannot be higher' : 'real-time'],
    [{ CpusetCpus: '0,90' }, 400, 'Requested CPUs are not available - requested 0,90, available: '],
    [{ CpusetMems: 'x' }, 400, 'Invalid value x for cpuset mems: invalid format: x'],
    [{ Memory: MB }, 400, 'Minimum memory limit allowed is 6MB'],
    [
      { NanoCpus: 1e9, CpuQuota: 5000 },
      400,
      'Conflicting options: Nano CPUs and CPU Quota cannot both be set',
    ],
  ])('create with %j is refused', async (hostConfig, status, text) => {
    const answer = await post('/containers/create', { Image: 'busybox', HostConfig: hostConfig });
    expect(answer.message).toContain(text);
    // The reference engine answers 500 to some mistakes that newer ones answer 400.
    if (status !== 0) expect(answer.status).toBe(status);
  });

  test.each([
    [{ CpuPercent: 50 }, 'linux does not support CPU percent. Percent discarded.'],
    ...(isV1
      ? ([
          [
            { OomKillDisable: true },
            'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
          ],
        ] as const)
      : []),
    [
      { NetworkMode: 'host', PortBindings: { '80/tcp': [{ HostPort: '18080' }] } },
      'Published ports are discarded when using host network mode',
    ],
  ])('create with %j warns', async (hostConfig, text) => {
    const answer = await post('/containers/create', { Image: 'busybox', HostConfig: hostConfig });
    const { Id, Warnings } = answer.json as { Id: string; Warnings: string[] };
    expect(Warnings).toEqual([text]);
    await remove(Id);
  });
});
