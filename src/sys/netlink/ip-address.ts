import { isIPv4, isIPv6 } from 'node:net';
import { SysError } from '../errors.ts';

export const AF_INET = 2;
export const AF_INET6 = 10;

/** An address as the kernel takes it: 4 or 16 bytes in network order. */
export interface IpAddress {
  readonly family: typeof AF_INET | typeof AF_INET6;
  readonly bytes: Uint8Array;
}

/** An address with the length of its network prefix in bits. */
export interface IpPrefix extends IpAddress {
  readonly prefixLength: number;
}

/** Parses `192.0.2.1` or `2001:db8::1`. EINVAL otherwise. */
export function parseAddress(text: string): IpAddress {
  if (isIPv4(text)) return { family: AF_INET, bytes: Uint8Array.from(text.split('.'), Number) };
  if (isIPv6(text) && !text.includes('%')) return { family: AF_INET6, bytes: parseV6(text) };
  throw new SysError('EINVAL', 'netlink', `address ${JSON.stringify(text)}`);
}

/** Parses `192.0.2.1/24`. Without `/` the prefix is the whole address. */
export function parsePrefix(text: string): IpPrefix {
  const [address = '', length, ...rest] = text.split('/');
  const parsed = parseAddress(address);
  const bits = parsed.bytes.length * 8;
  const prefixLength = length === undefined ? bits : Number(length);
  const valid = length === undefined || /^\d{1,3}$/.test(length);
  if (!valid || prefixLength > bits || rest.length > 0) {
    throw new SysError('EINVAL', 'netlink', `prefix ${JSON.stringify(text)}`);
  }
  return { ...parsed, prefixLength };
}

function parseV6(text: string): Uint8Array {
  const [head = '', tail] = withoutDottedTail(text).split('::');
  const left = groups(head);
  const right = tail === undefined ? [] : groups(tail);
  const zeros = new Array<number>(8 - left.length - right.length).fill(0);
  const words = [...left, ...zeros, ...right];
  return Uint8Array.from(words.flatMap((word) => [word >> 8, word & 0xff]));
}

/** `::ffff:192.0.2.1` ends in IPv4 notation, which stands for two groups. */
function withoutDottedTail(text: string): string {
  return text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) => {
    const hex = (high: string, low: string) => ((Number(high) << 8) | Number(low)).toString(16);
    return `${hex(a, b)}:${hex(c, d)}`;
  });
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

/** The text of 4 or 16 address bytes; IPv6 in its canonical short form (RFC 5952). */
export function formatAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const words = Array.from({ length: 8 }, (_, at) => ((bytes[at * 2] ?? 0) << 8) | (bytes[at * 2 + 1] ?? 0));
  const { start, length } = longestZeroRun(words);
  const hex = (part: readonly number[]) => part.map((word) => word.toString(16)).join(':');
  if (length < 2) return hex(words);
  return `${hex(words.slice(0, start))}::${hex(words.slice(start + length))}`;
}

function longestZeroRun(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [at, word] of words.entries()) {
    if (word !== 0) start = at + 1;
    else if (at + 1 - start > best.length) best = { start, length: at + 1 - start };
  }
  return best;
}

/** The broadcast address of an IPv4 network; undefined where there is none (/31, /32 and IPv6). */
export function broadcastAddress({ family, bytes, prefixLength }: IpPrefix): Uint8Array | undefined {
  if (family !== AF_INET || prefixLength > 30) return undefined;
  return bytes.map((byte, at) => byte | (0xff >> Math.min(8, Math.max(0, prefixLength - at * 8))));
}

/** Parses `02:42:ac:11:00:02`. EINVAL otherwise. */
export function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) {
    throw new SysError('EINVAL', 'netlink', `hardware address ${JSON.stringify(text)}`);
  }
  return Uint8Array.from(text.split(':'), (byte) => Number.parseInt(byte, 16));
}

/** The text of a hardware address; empty for links without one. */
export function formatMac(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':');
}
