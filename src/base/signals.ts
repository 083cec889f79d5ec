import { invalidArgument } from './errdefs.ts';

/** Linux signal numbers by name without `SIG` (x86-64 and arm64: signal(7)). */
export const SIGNALS = {
  ABRT: 6,
  ALRM: 14,
  BUS: 7,
  CHLD: 17,
  CLD: 17,
  CONT: 18,
  FPE: 8,
  HUP: 1,
  ILL: 4,
  INT: 2,
  IO: 29,
  IOT: 6,
  KILL: 9,
  PIPE: 13,
  POLL: 29,
  PROF: 27,
  PWR: 30,
  QUIT: 3,
  SEGV: 11,
  STKFLT: 16,
  STOP: 19,
  SYS: 31,
  TERM: 15,
  TRAP: 5,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  USR1: 10,
  USR2: 12,
  VTALRM: 26,
  WINCH: 28,
  XCPU: 24,
  XFSZ: 25,
} as const satisfies Record<string, number>;

const RTMIN = 34;
const RTMAX = 64;

/**
 * Parses `SIGTERM`, `term`, `15`, `RTMIN+3`, `SIGRTMAX-1` to a number between 1 and 64.
 * @throws `invalid_argument` with docker's text (`Invalid signal: X`).
 */
export function parseSignal(text: string): number {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number >= 1 && number <= RTMAX) return number;
    throw invalidArgument(`Invalid signal: ${text}`);
  }
  const name = text.toUpperCase().replace(/^SIG/, '');
  const plain = (SIGNALS as Record<string, number>)[name] ?? parseRealtime(name);
  if (plain === undefined) throw invalidArgument(`Invalid signal: ${text}`);
  return plain;
}

function parseRealtime(name: string): number | undefined {
  const match = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (!match) return undefined;
  const offset = Number(match[3] ?? 0) * (match[2] === '-' ? -1 : 1);
  const number = (match[1] === 'MIN' ? RTMIN : RTMAX) + offset;
  return number >= RTMIN && number <= RTMAX ? number : undefined;
}
