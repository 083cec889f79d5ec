import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cgroups } from '#sys';
import { createStatsSampler, NO_SAMPLE, type StatsSampler } from './sampler.ts';
import type { ContainerStats, StatsTarget } from './types.ts';

const TESTDATA = join(import.meta.dir, 'testdata');
const target: StatsTarget = { id: 'c1', cgroupPath: '/gantry/c1', pid: 4242 };

const layouts = {
  v1: {
    mode: 'hybrid',
    directory: (controller: string, path: string) => `/sys/fs/cgroup/${controller}${path}`,
  },
  v2: { mode: 'unified', directory: (_: string, path: string) => `/sys/fs/cgroup${path}` },
} as const satisfies Record<string, Pick<Cgroups, 'mode' | 'directory'>>;

interface Recorded {
  readonly sampler: StatsSampler;
  readonly reads: string[];
  /** Files answered instead of the recorded ones; undefined is "not there". */
  readonly changed: Map<string, string | undefined>;
}

function recorded(version: keyof typeof layouts, intervalMs = 5): Recorded {
  const reads: string[] = [];
  const changed = new Map<string, string | undefined>();
  const readFile = (path: string): string | undefined => {
    reads.push(path);
    if (changed.has(path)) return changed.get(path);
    const file = join(TESTDATA, version, path);
    return existsSync(file) ? readFileSync(file, 'latin1') : undefined;
  };
  return { sampler: createStatsSampler({ cgroups: layouts[version], intervalMs, readFile }), reads, changed };
}

/** The next `count` deliveries to a new subscriber. */
async function take(sampler: StatsSampler, count: number): Promise<ContainerStats[]> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const got: ContainerStats[] = [];
  const subscription = sampler.subscribe(
    () => target,
    (stats) => got.push(stats) === count && resolve(),
  );
  await promise;
  subscription[Symbol.dispose]();
  return got;
}

describe('sample', () => {
  test('reads a v1 container', () => {
    const { readAt, ...stats } = recorded('v1').sampler.sample(target);
    expect(readAt).toBeInstanceOf(Date);
    expect(stats).toMatchObject({
      cpu: {
        totalNs: 289_098_342,
        perCpuNs: [12_563_925, 276_534_417],
        kernelNs: 40_000_000,
        userNs: 240_000_000,
        systemNs: (42951 + 0 + 23273 + 698156 + 12828 + 0 + 519) * 10_000_000,
        onlineCpus: 2,
        throttling: { periods: 18, throttledPeriods: 12, throttledNs: 691_045_397 },
      },
      memory: { usage: 491_520, maxUsage: 66_187_264, failcnt: 20, limit: 67_108_864 },
      pids: { current: 1, limit: 100 },
      previous: undefined,
    });
    expect(Object.keys(stats.memory?.details ?? {})).toHaveLength(32);
    expect(stats.memory?.details).toMatchObject({ cache: 94_208, total_active_file: 94_208, rss_huge: 0 });
    expect(stats.blkio.others).toEqual([]);
    expect(stats.blkio.serviceBytes).toHaveLength(6);
    expect(stats.blkio.serviceBytes?.[1]).toEqual({ major: 8, minor: 0, op: 'Write', value: 167_772_160 });
    expect(stats.blkio.serviced?.[0]?.value).toBe(80);
  });

  test('reads a v2 container; without a limit it is the memory of the machine', () => {
    const stats = recorded('v2').sampler.sample(target);
    expect(stats).toMatchObject({
      cpu: {
        totalNs: 289_098_000,
        perCpuNs: undefined,
        kernelNs: 48_075_000,
        userNs: 241_023_000,
        onlineCpus: 2,
        throttling: { periods: 18, throttledPeriods: 12, throttledNs: 691_045_000 },
      },
      memory: { usage: 491_520, maxUsage: 0, failcnt: 3, limit: 24_684_096 * 1024 },
      pids: { current: 2, limit: undefined },
    });
    expect(Object.keys(stats.memory?.details ?? {})).toHaveLength(31);
    expect(stats.memory?.details['inactive_file']).toBe(65_536);
    expect(stats.blkio).toEqual({
      serviceBytes: [
        { major: 8, minor: 0, op: 'read', value: 83_886_080 },
        { major: 8, minor: 0, op: 'write', value: 167_772_160 },
        { major: 253, minor: 1, op: 'read', value: 4096 },
        { major: 253, minor: 1, op: 'write', value: 0 },
      ],
      serviced: undefined,
      others: undefined,
    });
  });

  test('counts the interfaces of the container without the loopback, or just those named', () => {
    const { sampler, reads } = recorded('v1');
    expect(sampler.sample(target).networks).toMatchObject({
      eth0: {
        rxBytes: 12_345,
        rxPackets: 101,
        rxErrors: 1,
        rxDropped: 2,
        txBytes: 6789,
        txPackets: 54,
        txErrors: 3,
        txDropped: 4,
      },
      eth1: { rxBytes: 70_000_000_000 },
    });
    expect(Object.keys(sampler.sample({ ...target, interfaces: ['eth1'] }).networks)).toEqual(['eth1']);
    reads.length = 0;
    expect(sampler.sample({ ...target, interfaces: [] }).networks).toEqual({});
    expect(reads.filter((path) => path.endsWith('net/dev'))).toEqual([]);
  });

  test('a container that does not run, or whose cgroup is gone, gives zeros', () => {
    for (const version of ['v1', 'v2'] as const) {
      const { sampler } = recorded(version);
      const none = { ...NO_SAMPLE, previous: undefined };
      expect(sampler.sample({ ...target, pid: undefined })).toEqual(none);
      expect(sampler.sample({ ...target, cgroupPath: '/gantry/other' })).toEqual(none);
    }
  });

  test('a v2 cgroup without the memory, pids and io controllers still gives its CPU time', () => {
    const { sampler, changed } = recorded('v2');
    for (const file of ['memory.current', 'pids.current', 'io.stat'])
      changed.set(`/sys/fs/cgroup/gantry/c1/${file}`, undefined);
    expect(sampler.sample(target)).toMatchObject({
      cpu: { totalNs: 289_098_000 },
      memory: undefined,
      pids: undefined,
      blkio: { serviceBytes: undefined },
    });
  });
});

describe('subscribe', () => {
  test('each sample after the first carries the one before', async () => {
    const { sampler } = recorded('v1');
    const [first, second, third] = await take(sampler, 3);
    expect(first?.previous).toBeUndefined();
    expect(second?.previous?.readAt).toEqual(first?.readAt as Date);
    expect(third?.previous?.readAt).toEqual(second?.readAt as Date);
    expect(third?.previous?.cpu.totalNs).toBe(289_098_342);
  });

  test('a container with several subscribers is read once a round', async () => {
    const { sampler, reads } = recorded('v1');
    await Promise.all([take(sampler, 1), take(sampler, 1), take(sampler, 1)]);
    expect(reads.filter((path) => path.endsWith('cpuacct.usage'))).toHaveLength(1);
  });

  test('nothing is read once the last subscriber has gone', async () => {
    const { sampler, reads } = recorded('v1', 1);
    await take(sampler, 2);
    reads.length = 0;
    await Bun.sleep(20);
    expect(reads).toEqual([]);
  });

  test('a container that ends gives zeros, and figures again after its restart', async () => {
    const { sampler } = recorded('v1', 1);
    let pid: number | undefined = 4242;
    const { promise, resolve } = Promise.withResolvers<void>();
    const seen: boolean[] = [];
    using _ = sampler.subscribe(
      () => ({ ...target, pid }),
      ({ readAt }) => {
        seen.push(readAt !== undefined);
        pid = seen.length === 1 ? undefined : 4242;
        if (seen.length === 3) resolve();
      },
    );
    await promise;
    expect(seen).toEqual([true, false, true]);
  });

  test('a listener or a file that fails does not take the others with it', async () => {
    const { sampler } = recorded('v1', 1);
    let calls = 0;
    using _bad = sampler.subscribe(
      () => target,
      () => {
        calls += 1;
        throw new Error('gone');
      },
    );
    using _broken = sampler.subscribe(
      () => {
        throw new Error('EMFILE');
      },
      () => {},
    );
    expect(await take(sampler, 3)).toHaveLength(3);
    expect(calls).toBe(1);
  });
});

describe('measure', () => {
  test('gives the second of two samples with the first as its previous', async () => {
    const { sampler, changed } = recorded('v1', 20);
    const measured = sampler.measure(target);
    changed.set('/sys/fs/cgroup/cpuacct/gantry/c1/cpuacct.usage', '300000000\n');
    const stats = await measured;
    expect([stats.previous?.cpu.totalNs, stats.cpu.totalNs]).toEqual([289_098_342, 300_000_000]);
    const apart = (stats.readAt?.getTime() ?? 0) - (stats.previous?.readAt?.getTime() ?? 0);
    expect(apart).toBeGreaterThanOrEqual(9);
  });

  test('answers at once for a container that does not run, and ends with its signal', async () => {
    const { sampler } = recorded('v1', 60_000);
    expect((await sampler.measure({ ...target, pid: undefined })).readAt).toBeUndefined();
    const abort = new AbortController();
    const measured = sampler.measure(target, abort.signal);
    abort.abort(new Error('client gone'));
    await expect(measured).rejects.toThrow('client gone');
  });
});
