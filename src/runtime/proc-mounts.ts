import { constants, statfsSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { Spec, SpecMount } from '#oci';
import type { Files, RootedDir } from '#sys';
import { createFailed } from './errors.ts';

const PROC = '/proc';
/** statfs(2). */
const PROC_MAGIC = 0x9fa0;
/** The kernel's own limit, path_resolution(7). */
const MAX_LINKS = 40;

/** Files that tell of resources, which programs such as lxcfs fake. Source: runc's list. */
const MAY_BE_FAKED: ReadonlySet<string> = new Set(
  [
    'cpuinfo',
    'diskstats',
    'meminfo',
    'stat',
    'swaps',
    'uptime',
    'loadavg',
    'slabinfo',
    'net/dev',
    'sys/kernel/ns_last_pid',
    'sys/crypto/fips_enabled',
  ].map((name) => `${PROC}/${name}`),
);

/**
 * Refuses binds over or into `/proc`, whatever links of the image lead there: with a volume in its place the runtime
 * would write the labels of the security modules into files of the image (CVE-2019-16884). runc refuses them itself,
 * crun does not.
 * @throws `internal` in runc's words.
 */
export function checkProcMounts(spec: Pick<Spec, 'root' | 'mounts'>, files: Pick<Files, 'openRoot'>): void {
  const rootfs = spec.root.path;
  using root = files.openRoot(rootfs);
  for (const mount of spec.mounts) {
    if (mount.type !== 'bind') continue;
    const landing = landingOf(mount.destination, root);
    const reason = objectionTo(mount, landing);
    if (reason !== undefined) throw refused(mount, `${JSON.stringify(join(rootfs, landing))} ${reason}`);
  }
}

function objectionTo({ source }: SpecMount, landing: string): string | undefined {
  if (landing === PROC) {
    return statfsSync(source ?? '').type === PROC_MAGIC
      ? undefined
      : 'cannot be mounted because it is not of type proc';
  }
  const isInside = landing.startsWith(`${PROC}/`) && !MAY_BE_FAKED.has(landing);
  return isInside ? 'cannot be mounted because it is inside /proc' : undefined;
}

const refused = ({ source, destination }: SpecMount, reason: string) =>
  createFailed({
    text:
      'runc create failed: unable to start container process: error during container init: ' +
      `error mounting ${JSON.stringify(source)} to rootfs at ${JSON.stringify(destination)}: ${reason}`,
    exitCode: 128,
  });

/** Where a path leads. Components that are not there are taken as they are: the runtime makes them. */
function landingOf(path: string, root: RootedDir): string {
  const left = partsOf(path).reverse();
  let at = '/';
  let links = 0;
  for (let part = left.pop(); part !== undefined; part = left.pop()) {
    const next = posix.join(at, part);
    const target = links < MAX_LINKS ? linkAt(next, root) : undefined;
    if (target === undefined) {
      at = next;
      continue;
    }
    links += 1;
    if (target.startsWith('/')) at = '/';
    left.push(...partsOf(target).reverse());
  }
  return at;
}

const partsOf = (path: string): string[] => path.split('/').filter((part) => part !== '' && part !== '.');

/** Below `/proc` the image has no say: what counts is mounted there later. */
function linkAt(path: string, root: RootedDir): string | undefined {
  if (path.startsWith(`${PROC}/`)) return undefined;
  const mode = root.stat(path)?.mode ?? 0;
  return (mode & constants.S_IFMT) === constants.S_IFLNK ? root.readlink(path) : undefined;
}
