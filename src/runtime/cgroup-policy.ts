import { rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { deadlineExceeded, errnoCode } from '#base';
import type { SpecResources } from '#oci';
import type { Sys } from '#sys';
import { withoutUnlimitedQuota } from './spec/build-spec.ts';

type CgroupSys = Pick<Sys, 'cgroups' | 'processes'>;

const POLL_MS = 2;
const FREEZE_DEADLINE_MS = 5000;
const REMOVE_DEADLINE_MS = 5000;
const SIGKILL = 9;

/** The freezer of one container, in either cgroup version. */
function freezer(sys: CgroupSys) {
  return sys.cgroups.mode === 'unified'
    ? { file: 'cgroup.freeze', frozen: '1', thawed: '0', state: 'cgroup.events', settled: /^frozen 1$/m }
    : {
        file: 'freezer.state',
        frozen: 'FROZEN',
        thawed: 'THAWED',
        state: 'freezer.state',
        settled: /^FROZEN$/,
      };
}

/** Whether the cgroup is frozen or about to be. */
export function isFrozen(path: string, sys: CgroupSys): boolean {
  const { file, thawed } = freezer(sys);
  return (sys.cgroups.read('freezer', path, file) ?? thawed) !== thawed;
}

/**
 * Stops every process of the cgroup and waits until all stand still. Thawed again on failure.
 * @throws `deadline_exceeded` when a process cannot be frozen.
 */
export async function freeze(path: string, sys: CgroupSys): Promise<void> {
  const { file, frozen, state, settled } = freezer(sys);
  const end = Date.now() + FREEZE_DEADLINE_MS;
  for (;;) {
    // v1 sometimes stays in FREEZING until it is asked again.
    sys.cgroups.write('freezer', path, file, frozen);
    if (settled.test(sys.cgroups.read('freezer', path, state) ?? '')) return;
    if (Date.now() > end) break;
    await sleep(POLL_MS);
  }
  thaw(path, sys);
  throw deadlineExceeded(`the container could not be frozen within ${FREEZE_DEADLINE_MS} ms`);
}

/** Lets the processes go on. Nothing happens when the cgroup is gone. */
export function thaw(path: string, sys: CgroupSys): void {
  const { file, thawed } = freezer(sys);
  try {
    sys.cgroups.write('freezer', path, file, thawed);
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') throw error;
  }
}

/** Whether the kernel has killed a process of this cgroup for lack of memory. */
export function wasOomKilled(path: string, sys: CgroupSys): boolean {
  const file = sys.cgroups.mode === 'unified' ? 'memory.events' : 'memory.oom_control';
  const count = /^oom_kill (\d+)$/m.exec(sys.cgroups.read('memory', path, file) ?? '')?.[1];
  return count !== undefined && count !== '0';
}

/**
 * Takes away the limits that are "none", which the runtimes write in a form that the kernel refuses. Answers the others,
 * for the runtime.
 */
export function liftLimits(
  { pids, cpu, ...rest }: SpecResources,
  path: string,
  { cgroups }: Pick<Sys, 'cgroups'>,
): SpecResources {
  if (pids && pids.limit <= 0) cgroups.write('pids', path, 'pids.max', 'max');
  if (cpu?.quota !== undefined && cpu.quota < 0) {
    if (cgroups.mode === 'unified') cgroups.write('cpu', path, 'cpu.max', 'max');
    else cgroups.write('cpu', path, 'cpu.cfs_quota_us', '-1');
  }
  return {
    ...rest,
    ...(cpu ? { cpu: withoutUnlimitedQuota(cpu) } : {}),
    ...(pids && pids.limit > 0 ? { pids } : {}),
  };
}

/** v1: files of limits that a cgroup below does not come under. `0` or nothing is no limit. */
const LOCAL_LIMITS = [
  ['blkio', 'blkio.throttle.read_bps_device'],
  ['blkio', 'blkio.throttle.write_bps_device'],
  ['blkio', 'blkio.throttle.read_iops_device'],
  ['blkio', 'blkio.throttle.write_iops_device'],
  ['cpu', 'cpu.rt_runtime_us'],
] as const;

/**
 * Whether processes in a cgroup below this one would escape its limits or lack what it allows: cgroup v1 throttles block
 * I/O and shares out real time by the one cgroup a process is in. Source: blkio-controller.rst, sched-rt-group.rst.
 */
export function hasLocalLimits(path: string, { cgroups }: Pick<Sys, 'cgroups'>): boolean {
  if (cgroups.mode === 'unified') return false;
  return LOCAL_LIMITS.some(([controller, file]) => !/^0?$/.test(cgroups.read(controller, path, file) ?? ''));
}

/**
 * v1 lets a cgroup give up no processor (or memory node) that one below it has, and takes away none from it: makes way for
 * a change of `path` by widening it to both sets and moving what is `below` to the new one. What the kernel refuses is
 * left to the change itself to report.
 */
export function moveCpusets(
  { cpus, mems }: NonNullable<SpecResources['cpu']>,
  path: string,
  below: readonly string[],
  { cgroups }: Pick<Sys, 'cgroups'>,
): void {
  if (cgroups.mode === 'unified' || below.length === 0) return;
  for (const [file, wanted] of [
    ['cpuset.cpus', cpus],
    ['cpuset.mems', mems],
  ] as const) {
    if (wanted === undefined || wanted === '') continue;
    try {
      cgroups.write('cpuset', path, file, `${cgroups.read('cpuset', path, file)},${wanted}`);
      for (const child of below) cgroups.write('cpuset', child, file, wanted);
    } catch (error) {
      if (!['EINVAL', 'ENOENT', 'EACCES', 'ENODEV'].includes(errnoCode(error) ?? '')) throw error;
    }
  }
}

/** Removes a cgroup, never what is below it, in each hierarchy where it is empty. */
export function removeEmptyCgroup(path: string, sys: CgroupSys): void {
  if (path === '/') return;
  const { controllers, unified, mode } = sys.cgroups;
  const directories = [
    ...controllers.values(),
    ...(unified === undefined || mode === 'legacy' ? [] : [unified]),
  ];
  for (const directory of new Set(directories)) {
    try {
      rmdirSync(join(directory, path));
    } catch (error) {
      if (!['ENOENT', 'EBUSY', 'ENOTEMPTY'].includes(errnoCode(error) ?? '')) throw error;
    }
  }
}

function killAll(path: string, sys: CgroupSys): void {
  if (sys.cgroups.kill(path)) return;
  thaw(path, sys);
  for (const pid of sys.cgroups.processes(path)) sys.processes.kill(pid, SIGKILL);
}

/**
 * Kills what is left in the cgroup and removes it in every hierarchy.
 * @throws `deadline_exceeded` when processes do not go away (uninterruptible sleep).
 */
export async function destroyCgroup(path: string, sys: CgroupSys): Promise<void> {
  const end = Date.now() + REMOVE_DEADLINE_MS;
  for (;;) {
    try {
      // Where processes are left the kernel refuses; after an ordinary end, that is nearly always, none are.
      sys.cgroups.remove(path);
      return;
    } catch (error) {
      if (errnoCode(error) !== 'EBUSY') throw error;
      killAll(path, sys);
      if (Date.now() > end)
        throw deadlineExceeded('the cgroup still has processes that cannot be killed', {
          cause: error,
          details: { processes: sys.cgroups.processes(path) },
        });
    }
    await sleep(POLL_MS);
  }
}
