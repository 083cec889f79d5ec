import { brokenArchive } from './errors.ts';

const BASE256_POSITIVE = 0x80;
const BASE256_NEGATIVE = 0xff;
const ZERO = 0x30;
const SPACE = 0x20;
const NS_PER_SECOND = 1_000_000_000n;

/**
 * Reads a numeric header field: octal digits, or GNU's base-256 when the top bit is set.
 * @throws `invalid_argument` for anything else and for numbers beyond 2^53.
 */
export function parseNumber(block: Uint8Array, offset: number, length: number): number {
  const first = block[offset] ?? 0;
  if (first === BASE256_POSITIVE || first === BASE256_NEGATIVE) return parseBase256(block, offset, length);
  return parseOctal(block, offset, length);
}

function parseOctal(block: Uint8Array, offset: number, length: number): number {
  let at = offset;
  const end = offset + length;
  while (at < end && (block[at] === SPACE || block[at] === 0)) at += 1;
  let value = 0;
  for (; at < end; at += 1) {
    const byte = block[at] ?? 0;
    if (byte === 0 || byte === SPACE) break;
    if (byte < ZERO || byte > ZERO + 7) throw brokenArchive('malformed number in a header');
    value = value * 8 + (byte - ZERO);
  }
  return value;
}

function parseBase256(block: Uint8Array, offset: number, length: number): number {
  const isNegative = block[offset] === BASE256_NEGATIVE;
  let value = isNegative ? -1n : 0n;
  for (let at = offset + 1; at < offset + length; at += 1) value = (value << 8n) | BigInt(block[at] ?? 0);
  return toSafeNumber(value);
}

function toSafeNumber(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw brokenArchive('number out of range in a header');
  return number;
}

/** Parses a decimal PAX integer. @throws `invalid_argument`. */
export function parseDecimal(text: string, what: string): number {
  if (!/^-?\d{1,20}$/.test(text)) throw brokenArchive(`malformed ${what}`);
  return toSafeNumber(BigInt(text));
}

/** Parses a PAX time (`1700000000.123456789`, also negative) to nanoseconds. @throws `invalid_argument`. */
export function parsePaxTime(text: string): bigint {
  const match = /^(-?)(\d{1,19})(?:\.(\d*))?$/.exec(text);
  if (!match) throw brokenArchive('malformed time');
  const fraction = (match[3] ?? '').slice(0, 9).padEnd(9, '0');
  const ns = BigInt(match[2] ?? '0') * NS_PER_SECOND + BigInt(fraction);
  return match[1] ? -ns : ns;
}

/** Nanoseconds as a PAX time, without needless digits. */
export function formatPaxTime(ns: bigint): string {
  const sign = ns < 0n ? '-' : '';
  const absolute = ns < 0n ? -ns : ns;
  const fraction = (absolute % NS_PER_SECOND).toString().padStart(9, '0').replace(/0+$/, '');
  return `${sign}${absolute / NS_PER_SECOND}${fraction ? `.${fraction}` : ''}`;
}

/** Whole seconds, rounded down as file systems do. */
export function wholeSeconds(ns: bigint): bigint {
  const seconds = ns / NS_PER_SECOND;
  return ns < 0n && ns % NS_PER_SECOND !== 0n ? seconds - 1n : seconds;
}
