import type { ContainerSample, ContainerStats, StatsOptions } from '#containers';

const cpu = (totalNs: number, systemNs: number): ContainerSample['cpu'] => ({
  totalNs,
  perCpuNs: [totalNs - 100, 100],
  kernelNs: 30,
  userNs: 70,
  systemNs,
  onlineCpus: 2,
  throttling: { periods: 3, throttledPeriods: 2, throttledNs: 1 },
});

const SAMPLE: ContainerSample = {
  readAt: new Date('2026-01-02T03:05:01.000Z'),
  cpu: cpu(2000, 90_000),
  memory: { usage: 4096, maxUsage: 8192, failcnt: 0, limit: 67_108_864, details: { cache: 1024, rss: 2048 } },
  pids: { current: 2, limit: undefined },
  blkio: {
    serviceBytes: [{ major: 254, minor: 0, op: 'Read', value: 4096 }],
    serviced: [{ major: 254, minor: 0, op: 'Read', value: 1 }],
    others: [],
  },
  networks: {
    eth0: {
      rxBytes: 1,
      rxPackets: 2,
      rxErrors: 3,
      rxDropped: 4,
      txBytes: 5,
      txPackets: 6,
      txErrors: 7,
      txDropped: 8,
    },
  },
};

/** Two samples a second apart; a one-shot has only one. */
export function sampleStats(mode: StatsOptions['mode']): ContainerStats {
  if (mode === 'one-shot') return { ...SAMPLE, previous: undefined };
  return { ...SAMPLE, previous: { readAt: new Date('2026-01-02T03:05:00.000Z'), cpu: cpu(1000, 45_000) } };
}
