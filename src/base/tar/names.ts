import { isUtf8 } from 'node:buffer';

const RAW_BYTE_BASE = 0xdc00;
const HAS_RAW_BYTE = /[\uDC80-\uDCFF]/;

/**
 * Decodes a file name. Linux names are bytes: those that are not UTF-8 become lone surrogates
 * U+DC80 to U+DCFF (as in Python's surrogateescape), so that two different names stay different.
 */
export function decodeName(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString('utf8');
  let name = '';
  for (let at = 0; at < buffer.length; ) {
    const length = sequenceLength(buffer, at);
    name +=
      length === 0
        ? String.fromCharCode(RAW_BYTE_BASE + (buffer[at] ?? 0))
        : buffer.toString('utf8', at, at + length);
    at += Math.max(length, 1);
  }
  return name;
}

/** Length of the valid UTF-8 sequence at `at`, 0 when there is none. */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  if (first < 0x80) return 1;
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}

/** The bytes of a name made by {@link decodeName}. */
export function encodeName(name: string): Uint8Array {
  if (!HAS_RAW_BYTE.test(name) || name.isWellFormed()) return Buffer.from(name, 'utf8');
  const parts: Buffer[] = [];
  for (const char of name) {
    const code = char.codePointAt(0) ?? 0;
    const isRaw = code >= 0xdc80 && code <= 0xdcff;
    parts.push(isRaw ? Buffer.of(code - RAW_BYTE_BASE) : Buffer.from(char, 'utf8'));
  }
  return Buffer.concat(parts);
}
