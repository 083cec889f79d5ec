import { brokenArchive } from './errors.ts';
import { decodeName } from './names.ts';

/** Records of an extended header in order; `GNU.sparse.offset` may occur many times. */
export type PaxRecords = readonly (readonly [key: string, value: Uint8Array])[];

const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;
const ZERO = 0x30;

/**
 * Splits the body of a PAX header (`LENGTH KEY=VALUE\n`…).
 * Source: POSIX pax, "pax Extended Header". @throws `invalid_argument`.
 */
export function parsePaxRecords(body: Uint8Array): PaxRecords {
  const records: [string, Uint8Array][] = [];
  for (let at = 0; at < body.length; ) {
    // Some writers pad the body with NULs.
    if (body[at] === 0) break;
    const { length, digits } = recordLength(body, at);
    const end = at + length;
    const start = at + digits + 1;
    if (end > body.length || end <= start || body[end - 1] !== NEWLINE)
      throw brokenArchive('malformed PAX record');
    const equals = body.indexOf(EQUALS, start);
    if (equals < 0 || equals >= end - 1 || equals === start) throw brokenArchive('malformed PAX record');
    records.push([decodeKey(body.subarray(start, equals)), body.slice(equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

function recordLength(body: Uint8Array, at: number): { length: number; digits: number } {
  let length = 0;
  let digits = 0;
  for (; digits < 10; digits += 1) {
    const byte = body[at + digits] ?? 0;
    if (byte === SPACE && digits > 0) return { length, digits };
    if (byte < ZERO || byte > ZERO + 9) break;
    length = length * 10 + (byte - ZERO);
  }
  throw brokenArchive('malformed PAX record length');
}

function decodeKey(bytes: Uint8Array): string {
  if (bytes.includes(0)) throw brokenArchive('NUL in a PAX keyword');
  return decodeName(bytes);
}

/** One record with its own length in front, the length of which counts too. */
export function formatPaxRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}
