import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, type Logger } from '#base';
import { formatLabel, type SelinuxLabel, tryParseLabel } from './label.ts';

/** What the host's SELinux policy gives to containers. */
export interface SelinuxHost {
  /** Of processes, `container_t`. */
  readonly process: SelinuxLabel;
  /** Of files, `container_file_t`. */
  readonly file: SelinuxLabel;
}

/** Files larger than this are not what they say. */
const MAX_BYTES = 65_536;
/** In policy names: they become directory names. */
const POLICY = /^[A-Za-z0-9][\w.-]*$/;

/**
 * Reads the policy's labels for containers; undefined: containers go without. `root` is for recorded trees.
 * Source: selinux_config(5), `contexts/lxc_contexts`, selinuxfs.
 */
export function openSelinux(options: {
  readonly wanted: boolean;
  readonly logger: Logger;
  readonly root?: string;
}): SelinuxHost | undefined {
  const { wanted, logger, root = '/' } = options;
  if (!wanted) return undefined;
  if (!existsSync(join(root, 'sys/fs/selinux/enforce'))) {
    logger.warn('SELinux is not enabled on this host: containers run without labels');
    return undefined;
  }
  const contexts = readContexts(root);
  const process = tryParseLabel(contexts.get('process') ?? '');
  const file = tryParseLabel(contexts.get('file') ?? '');
  if (process && file) {
    const unknown = [process, file].map(formatLabel).filter((label) => !isKnown(root, label));
    if (unknown.length === 0) return { process, file };
    logger.warn(
      'the SELinux policy that is loaded does not know its labels for containers: they run without (install container-selinux)',
      { labels: unknown.join(' ') },
    );
    return undefined;
  }
  logger.warn(
    'the SELinux policy has no labels for containers: they run without (install container-selinux)',
  );
  return undefined;
}

/**
 * Whether the policy that is loaded has the label: not every one has those that its files name, and each start would fail.
 * True also where the kernel cannot be asked. Source: selinuxfs, `context`; libselinux writes the terminating zero as well.
 */
function isKnown(root: string, label: string): boolean {
  try {
    writeFileSync(join(root, 'sys/fs/selinux/context'), `${label}\0`, { flag: 'r+' });
    return true;
  } catch (error) {
    return errnoCode(error) !== 'EINVAL';
  }
}

function readContexts(root: string): ReadonlyMap<string, string> {
  const policy = readAssignments(join(root, 'etc/selinux/config')).get('SELINUXTYPE') ?? '';
  if (!POLICY.test(policy)) return new Map();
  return readAssignments(join(root, 'etc/selinux', policy, 'contexts/lxc_contexts'));
}

/** Lines such as `process = "system_u:system_r:container_t:s0"`; others are passed over. */
function readAssignments(path: string): ReadonlyMap<string, string> {
  const lines = attemptRead(path).slice(0, MAX_BYTES).split('\n');
  return new Map(
    lines.flatMap((line) => {
      const match = /^\s*(\w+)\s*=\s*"?([^"\s]*)"?\s*$/.exec(line);
      return match ? [[match[1] ?? '', match[2] ?? ''] as const] : [];
    }),
  );
}

function attemptRead(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
