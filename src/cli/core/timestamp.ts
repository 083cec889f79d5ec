import { parseDurationNs } from '#base';
import { cliError } from './errors.ts';

/**
 * A point in time as the engine takes it, `seconds.nanoseconds`: from a Unix time, an RFC 3339 text or part of one, or a
 * duration back from now. Texts without a zone are local time. Empty stays empty.
 * @throws docker's text for anything else.
 */
export function toEngineTime(text: string, nowMs: number): string {
  if (text === '') return '';
  const unix = /^(\d+)(?:\.(\d{1,9}))?$/.exec(text);
  if (unix) return unix[2] === undefined ? text : `${unix[1]}.${unix[2].padEnd(9, '0')}`;
  const duration = tryDuration(text);
  if (duration !== undefined) return fromNs(BigInt(Math.round(nowMs)) * 1_000_000n - BigInt(duration));
  const date = tryDate(text);
  if (date === undefined)
    throw cliError(`failed to parse value as time or duration: ${JSON.stringify(text)}`);
  return fromNs(date);
}

const fromNs = (ns: bigint): string =>
  `${ns / 1_000_000_000n}.${String(ns % 1_000_000_000n).padStart(9, '0')}`;

function tryDuration(text: string): number | undefined {
  try {
    return parseDurationNs(text);
  } catch {
    return undefined;
  }
}

/** Nanoseconds since the epoch. */
function tryDate(text: string): bigint | undefined {
  const match =
    /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  if (!match) return undefined;
  const [, day, hours = '00', minutes = '00', seconds = '00', fraction = '', zone = ''] = match;
  const ms = new Date(`${day}T${hours}:${minutes}:${seconds}${zone}`).getTime();
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
