import { lines, words } from './parse.ts';
import type { NetworkStats } from './types.ts';

const TICK_NS = 1e9 / 100;
/** user, nice, system, idle, iowait, irq, softirq: what docker adds up. Guest time is in `user` already. */
const SUMMED_FIELDS = 7;

export interface HostCpu {
  readonly systemNs: number;
  readonly onlineCpus: number;
}

/** CPU time of the machine and its number of CPUs, from /proc/stat (proc(5)). */
export function parseProcStat(text: string | undefined): HostCpu {
  let [systemNs, onlineCpus] = [0, 0];
  // The lines of the CPUs come first; the interrupts behind them are long.
  const end = text?.indexOf('\nintr') ?? -1;
  for (const line of lines(end < 0 ? text : text?.slice(0, end))) {
    if (!line.startsWith('cpu')) break;
    const [name, ...fields] = words(line);
    if (name !== 'cpu') onlineCpus += 1;
    else systemNs = fields.slice(0, SUMMED_FIELDS).reduce((sum, field) => sum + Number(field), 0) * TICK_NS;
  }
  return { systemNs, onlineCpus };
}

/** Bytes of memory of the machine, from /proc/meminfo; infinite when it does not say. */
export function parseMemTotal(text: string | undefined): number {
  const match = /^MemTotal:\s+(\d+) kB$/m.exec(text ?? '');
  return match ? Number(match[1]) * 1024 : Number.POSITIVE_INFINITY;
}

/** Counters by interface, from /proc/<pid>/net/dev. `names` undefined: all but the loopback. */
export function parseNetDev(
  text: string | undefined,
  names: readonly string[] | undefined,
): Record<string, NetworkStats> {
  const found: Record<string, NetworkStats> = {};
  for (const line of lines(text)) {
    // Old kernels write no blank between the colon and a long number. Names never hold a colon followed by more.
    const match = /^\s*(\S+):\s*(\d[\d\s]*)$/.exec(line);
    const [, name = '', numbers] = match ?? [];
    if (!match || (names ? !names.includes(name) : name === 'lo')) continue;
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0, , , , , ...tx] =
      words(numbers).map(Number);
    const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = tx;
    found[name] = { rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped };
  }
  return found;
}
