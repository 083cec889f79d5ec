/**
 * stats: what containers use, read from cgroup files and `/proc/<pid>/net/dev`.
 *
 * **One sampler for all.** {@link createStatsSampler} has one timer, and only while somebody subscribes; a container with
 * several subscribers is read once per round. Nothing is spawned and no namespace is entered: a round over 100 containers
 * takes 5 to 10 milliseconds on two busy cores, in batches between which the daemon does other work.
 *
 * **What is where.** `parse.ts` notations; `cgroup-v1.ts` (also hybrid) and `cgroup-v2.ts` from files to figures; `host.ts`
 * the machine and the network counters; `sampler.ts` the rounds. All but the last are pure and tested on recorded trees
 * in `testdata/`.
 *
 * **Invariants.** A container that does not run, or ends while it is read, gives zeros and never an error. The memory
 * limit is never larger than the machine. Which figures and names come out is docker's choice (moby
 * `daemon/stats_unix.go`), so that its clients reckon the same percentages from them.
 *
 * **Not here:** the wire type (the server makes it; zero and undefined are left out there), who may look, `top`.
 */
export { createStatsSampler, NO_SAMPLE, type StatsSampler, type StatsSamplerOptions } from './sampler.ts';
export type {
  BlkioEntry,
  BlkioStats,
  ContainerSample,
  ContainerStats,
  CpuStats,
  MemoryStats,
  NetworkStats,
  StatsTarget,
} from './types.ts';
