import { invalidArgument } from '#base';
import type { Rlimit } from '#oci';
import { cutOomScoreAdj, cutRlimits, type LimitHost } from '#runtime';
import type { Ulimit } from '../model.ts';

const NAMES: readonly string[] = [
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
];

/** Checks ulimits. @throws `invalid_argument` with docker's texts. Source: go-units `ulimit.go`. */
export function checkUlimits(ulimits: readonly Ulimit[]): void {
  for (const { name, soft, hard } of ulimits) {
    if (!NAMES.includes(name)) throw invalidArgument(`invalid ulimit type: ${name}`);
    if (hard !== -1 && (soft > hard || soft === -1)) {
      throw invalidArgument(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
    }
  }
}

/** Ulimits of container and daemon (the container's win), cut to what the daemon may give. */
export function specLimits(
  ulimits: readonly Ulimit[],
  defaults: readonly Ulimit[],
  oomScoreAdj: number,
  host: LimitHost,
): { readonly rlimits: Rlimit[]; readonly oomScoreAdj: number; readonly warnings: readonly string[] } {
  const merged = new Map([...defaults, ...ulimits].map((limit) => [limit.name, limit]));
  const wanted = [...merged.values()].map(({ name, soft, hard }) => ({
    type: `RLIMIT_${name.toUpperCase()}`,
    soft,
    hard,
  }));
  const limits = cutRlimits(wanted, host);
  const score = cutOomScoreAdj(oomScoreAdj, host);
  return {
    rlimits: limits.value,
    oomScoreAdj: score.value,
    warnings: [...limits.warnings, ...score.warnings],
  };
}
