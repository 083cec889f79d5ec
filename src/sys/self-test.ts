import { lstatSync, readFileSync, statfsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { errnoCode, errorMessage } from '#base';
import { hasMountContexts } from './mount-context.ts';
import type { Sys } from './types.ts';

/** The outcome of one check. */
export interface SelfTestResult {
  /** `errno`, `stat`, `openat2`, … */
  readonly name: string;
  readonly ok: boolean;
  /** What was seen, or why it failed; one line for the log. */
  readonly detail: string;
}

/** Returns what was seen; throws when it is not as it must be. */
type Check = (sys: Sys) => string;

const CHECKS = {
  errno: checkErrno,
  stat: checkStat,
  openat2: checkOpenat2,
  statfs: checkStatfs,
  rlimit: checkRlimit,
  mounts: (sys) => `${requireSome(sys.mounts.list().length, 'mounts')} mounts`,
  fsopen: checkFsopen,
  pidfd: checkPidfd,
  cgroups: (sys) => `${sys.cgroups.mode}, ${sys.cgroups.controllers.size} v1 controllers`,
  netlink: checkNetlink,
  nftables: checkNftables,
} as const satisfies Record<string, Check>;

/**
 * Checks the foreign calls that the daemon lives by: struct layouts, errno, and the kernel features that have
 * no substitute. For the start of the daemon: no effect on the system, a few milliseconds. Never throws.
 */
export function selfTest(sys: Sys): SelfTestResult[] {
  return Object.entries(CHECKS).map(([name, check]: [string, Check]) => {
    try {
      return { name, ok: true, detail: check(sys) };
    } catch (error) {
      return { name, ok: false, detail: errorMessage(error) };
    }
  });
}

function checkErrno(sys: Sys): string {
  const code = codeOf(() => sys.processes.closeFd(-1));
  return expectSame('errno of close(-1)', code, 'EBADF');
}

function checkStat(sys: Sys): string {
  // A file that nobody changes while we look at it twice.
  using root = sys.files.openRoot(dirname(process.execPath));
  const mine = root.stat(basename(process.execPath));
  const theirs = lstatSync(process.execPath, { bigint: true });
  expectSame('inode', mine?.ino, theirs.ino);
  expectSame('mode', BigInt(mine?.mode ?? 0), theirs.mode);
  expectSame('mtime', mine?.mtimeNs, theirs.mtimeNs);
  return expectSame('size of the program', mine?.size, theirs.size);
}

function checkOpenat2(sys: Sys): string {
  using root = sys.files.openRoot('/proc/self');
  expectSame('inode of ".." of a root', root.statFollow('../..')?.ino, root.stat('/')?.ino);
  return expectSame(
    'errno of a magic link',
    codeOf(() => root.statFollow('root')),
    'ELOOP',
  );
}

function checkStatfs(sys: Sys): string {
  const mine = sys.files.statfs('/');
  const theirs = statfsSync('/', { bigint: true });
  expectSame('type of the file system of "/"', mine.type, theirs.type);
  return expectSame('blocks of the file system of "/"', mine.blocks, theirs.blocks);
}

function checkRlimit(sys: Sys): string {
  const text = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return expectSame('soft limit of open files', String(sys.processes.getRlimit('nofile').soft), text);
}

function checkFsopen(): string {
  return expectSame('mount descriptors (Linux 5.2)', hasMountContexts(), true);
}

function checkPidfd(sys: Sys): string {
  const pidfd = sys.processes.pidfdOpen(process.pid);
  try {
    expectSame('signal 0 to this process', sys.processes.pidfdSignal(pidfd, 0), true);
    return expectSame('end of this process', sys.processes.hasExited(pidfd), false);
  } finally {
    sys.processes.closeFd(pidfd);
  }
}

function checkNetlink(sys: Sys): string {
  using socket = sys.openNetlink();
  const lo = socket.link('lo');
  expectSame('index of "lo"', lo?.index, 1);
  return `lo has mtu ${requireSome(lo?.mtu ?? 0, 'mtu')}`;
}

function checkNftables(sys: Sys): string {
  using nft = sys.openNftables();
  const first = nft.query('list tables')[0]?.['metainfo'];
  const version =
    typeof first === 'object' && first !== null && 'version' in first ? first.version : undefined;
  if (typeof version !== 'string') throw new Error('nft gave no version');
  return `version ${version}`;
}

function expectSame<T>(what: string, actual: T, expected: T): string {
  if (actual !== expected) throw new Error(`${what} is ${String(actual)}, expected ${String(expected)}`);
  return `${what} is ${String(actual)}`;
}

function requireSome(count: number, what: string): number {
  if (count <= 0) throw new Error(`no ${what}`);
  return count;
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return errnoCode(error);
  }
}
