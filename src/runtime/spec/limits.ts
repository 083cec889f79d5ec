import { readFileSync } from 'node:fs';
import type { Rlimit } from '#oci';
import type { RlimitName, Sys } from '#sys';
import type { Cut } from './capabilities.ts';

/** "No limit" in {@link Rlimit}: the kernel's RLIM_INFINITY does not fit a JavaScript number. */
export const UNLIMITED = -1;

export interface LimitHost {
  /** The daemon's hard limit; {@link UNLIMITED} for none. */
  hardLimit(type: string): number;
  /** Whether the daemon may raise limits (CAP_SYS_RESOURCE). */
  readonly mayRaise: boolean;
  readonly oomScoreAdj: number;
}

/** What the daemon itself may give. */
export function readLimitHost(sys: Pick<Sys, 'processes'>): LimitHost {
  return {
    hardLimit(type) {
      const name = type.replace(/^RLIMIT_/, '').toLowerCase() as RlimitName;
      const { hard } = sys.processes.getRlimit(name);
      return hard > BigInt(Number.MAX_SAFE_INTEGER) ? UNLIMITED : Number(hard);
    },
    mayRaise: sys.processes.effectiveCapabilities().includes('CAP_SYS_RESOURCE'),
    oomScoreAdj: Number(readFileSync('/proc/self/oom_score_adj', 'utf8').trim()),
  };
}

/** Cuts resource limits to what the daemon may give; a process without CAP_SYS_RESOURCE can only lower hard limits. */
export function cutRlimits(rlimits: readonly Rlimit[], host: LimitHost): Cut<Rlimit[]> {
  if (host.mayRaise) return { value: [...rlimits], warnings: [] };
  const warnings: string[] = [];
  const value = rlimits.map((limit) => {
    const most = host.hardLimit(limit.type);
    const cut = { type: limit.type, soft: smaller(limit.soft, most), hard: smaller(limit.hard, most) };
    if (cut.soft !== limit.soft || cut.hard !== limit.hard) warnings.push(describeCut(limit, cut));
    return cut;
  });
  return { value, warnings };
}

/** Raises an out-of-memory score adjustment to the lowest one the daemon may give. */
export function cutOomScoreAdj(value: number, host: LimitHost): Cut<number> {
  if (host.mayRaise || value >= host.oomScoreAdj) return { value, warnings: [] };
  return {
    value: host.oomScoreAdj,
    warnings: [
      `oom score adjustment ${value} was raised to ${host.oomScoreAdj}: the daemon may not go lower`,
    ],
  };
}

function smaller(a: number, b: number): number {
  if (a === UNLIMITED) return b;
  return b === UNLIMITED ? a : Math.min(a, b);
}

function describeCut(asked: Rlimit, given: Rlimit): string {
  const name = asked.type.replace(/^RLIMIT_/, '').toLowerCase();
  const show = (limit: Rlimit) => `${limit.soft}:${limit.hard}`;
  return `ulimit ${name}=${show(asked)} was cut to ${show(given)}: the daemon may not raise its own limits`;
}
