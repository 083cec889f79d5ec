import { readFileSync } from 'node:fs';
import { errnoCode } from '#base';
import { type Files, type MountInfo, type Processes, parseMountInfo } from '#sys';
import type { ContainerTree, TreeMount } from './tree.ts';

export interface LiveTreeOptions {
  /** Of init, in the daemon's PID namespace. */
  readonly pid: number;
  /** Part of the cgroup path of that process and of no other container's: the container's ID. */
  readonly containerId: string;
}

/** The parts of `Sys` that a live tree needs. */
export interface LiveTreeSys {
  readonly files: Pick<Files, 'openRoot'>;
  readonly processes: Pick<Processes, 'pidfdOpen' | 'hasExited' | 'closeFd'>;
}

/** File systems that the kernel makes up. Nobody copies them, and reading some of them waits or has effects. */
const KERNEL_FILESYSTEMS = new Set([
  'autofs',
  'binfmt_misc',
  'bpf',
  'cgroup',
  'cgroup2',
  'configfs',
  'debugfs',
  'devpts',
  'devtmpfs',
  'efivarfs',
  'fusectl',
  'hugetlbfs',
  'mqueue',
  'nsfs',
  'proc',
  'pstore',
  'rpc_pipefs',
  'securityfs',
  'selinuxfs',
  'sysfs',
  'tracefs',
]);

/**
 * The file system of a running container, through `/proc/<pid>/root`: what its processes see, tmpfs and volumes included.
 * Undefined when that process has ended, or its PID belongs to somebody else by now.
 */
export function openLiveTree(sys: LiveTreeSys, options: LiveTreeOptions): ContainerTree | undefined {
  const proc = `/proc/${options.pid}`;
  try {
    // Held first: as long as it has not exited, the PID cannot name another process.
    const pidfd = sys.processes.pidfdOpen(options.pid);
    try {
      if (!readFileSync(`${proc}/cgroup`, 'utf8').includes(options.containerId)) return undefined;
      const root = sys.files.openRoot(`${proc}/root`);
      const mounts = readMounts(`${proc}/mountinfo`);
      if (sys.processes.hasExited(pidfd) || mounts.length === 0) {
        root[Symbol.dispose]();
        return undefined;
      }
      return {
        mounts,
        // The kernel refuses writing to a read-only mount.
        place: (path) => ({ root, path, readOnly: false }),
        resolve: (path) => root.resolve(path),
        [Symbol.dispose]: () => root[Symbol.dispose](),
      };
    } finally {
      sys.processes.closeFd(pidfd);
    }
  } catch (error) {
    if (['ESRCH', 'ENOENT', 'EINVAL'].includes(errnoCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** Targets in this file are relative to the root of the process whose it is. */
function readMounts(file: string): TreeMount[] {
  const mounts = parseMountInfo(readFileSync(file, 'utf8'));
  return mounts.map((mount) => ({
    target: mount.target,
    readOnly: mount.options.includes('ro'),
    isTransient: isTransient(mount),
  }));
}

// The runtime makes /dev for each run; it is no tmpfs of the user.
const isTransient = ({ fstype, target }: MountInfo): boolean =>
  KERNEL_FILESYSTEMS.has(fstype) || target === '/dev' || target === '/dev/shm';
