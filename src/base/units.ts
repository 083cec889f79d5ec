import { invalidArgument } from './errdefs.ts';

const DECIMAL = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'] as const;
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'] as const;

/** `1.23MB`: decimal units with `precision` significant digits (default 4), as docker prints sizes. */
export function formatBytes(bytes: number, precision = 4): string {
  return scale(bytes, 1000, DECIMAL, precision);
}

/** `1.5GiB`: binary units with 4 significant digits, as `docker stats` and `docker info` print memory. */
export function formatBinaryBytes(bytes: number): string {
  return scale(bytes, 1024, BINARY, 4);
}

function scale(bytes: number, base: number, units: readonly string[], precision: number): string {
  let value = bytes;
  let index = 0;
  // Compared after rounding: 999,999 bytes are 1MB, not 1000kB.
  while (round(value, precision) >= base && index < units.length - 1) {
    value /= base;
    index += 1;
  }
  return `${round(value, precision)}${units[index]}`;
}

/** At most `digits` significant digits before trailing zeros are dropped; whole numbers keep all of theirs. */
function round(value: number, digits: number): number {
  return value >= 10 ** digits ? Math.round(value) : Number(value.toPrecision(digits));
}

const BYTES = /^(-?\d+(?:\.\d+)?) ?([kmgtp])?(?:i?b)?$/i;
const BYTE_FACTORS: Record<string, number> = { k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * Parses `512`, `64m`, `1.5g`, `2GiB` to bytes; every unit is a power of 1024, as for `docker run -m`.
 * @throws `invalid_argument` (`invalid size: 'X'`).
 */
export function parseBytes(text: string): number {
  const match = BYTES.exec(text.trim());
  if (!match) throw invalidArgument(`invalid size: '${text}'`);
  const exponent = match[2] ? (BYTE_FACTORS[match[2].toLowerCase()] ?? 0) : 0;
  return Math.trunc(Number(match[1]) * 1024 ** exponent);
}

const UNIT_NS: Record<string, number> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  μs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  h: 3600e9,
};

/**
 * Parses a Go duration (`1h15m30.5s`, `-300ms`, `0`) to nanoseconds.
 * @throws `invalid_argument` with Go's text (`time: invalid duration "X"`).
 */
export function parseDurationNs(text: string): number {
  if (/^[+-]?0$/.test(text)) return 0;
  const match = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/.exec(text);
  if (!match?.[2]) {
    const isNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(text);
    throw invalidArgument(
      `time: ${isNumber ? 'missing unit in' : 'invalid'} duration ${JSON.stringify(text)}`,
    );
  }
  let total = 0;
  for (const [, amount, unit] of match[2].matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(amount) * (UNIT_NS[unit ?? ''] ?? 0);
  }
  return Math.round(match[1] === '-' ? -total : total);
}

/** Formats nanoseconds as Go's `time.Duration.String` does (`1m30s`, `1.5s`, `0s`). */
export function formatDurationNs(ns: number): string {
  if (ns === 0) return '0s';
  const sign = ns < 0 ? '-' : '';
  const abs = Math.abs(ns);
  if (abs < 1e3) return `${sign}${abs}ns`;
  if (abs < 1e6) return `${sign}${trimNumber(abs / 1e3)}µs`;
  if (abs < 1e9) return `${sign}${trimNumber(abs / 1e6)}ms`;
  const hours = Math.floor(abs / 3600e9);
  const minutes = Math.floor((abs % 3600e9) / 60e9);
  const seconds = `${trimNumber((abs % 60e9) / 1e9)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

const trimNumber = (value: number): string => value.toFixed(9).replace(/\.?0+$/, '');

const AGO: readonly (readonly [limitS: number, text: (s: number) => string])[] = [
  [1, () => 'Less than a second'],
  [2, () => '1 second'],
  [60, (s) => `${s} seconds`],
  [120, () => 'About a minute'],
  [3600, (s) => `${Math.floor(s / 60)} minutes`],
  [5400, () => 'About an hour'],
  [48 * 3600, (s) => `${Math.round(s / 3600)} hours`],
  [14 * 86400, (s) => `${Math.floor(s / 86400)} days`],
  [60 * 86400, (s) => `${Math.floor(s / 86400 / 7)} weeks`],
  [730 * 86400, (s) => `${Math.floor(s / 86400 / 30)} months`],
];

/** `About a minute`, `3 hours`: how long something lasted, in docker's words (go-units HumanDuration). */
export function formatHumanDuration(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  for (const [limitS, text] of AGO) if (seconds < limitS) return text(seconds);
  return `${Math.floor(seconds / 86400 / 365)} years`;
}
