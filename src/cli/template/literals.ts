import { runeText } from './quote.ts';
import { goFloat, type WholeFloat } from './values.ts';

/** Values of literals in Go's notation. Undefined when the text is not one. */

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3})|([\s\S]))/g;

/** `strconv.Unquote`. `\\xNN` and `\\NNN` are bytes; what is no UTF-8 then becomes U+FFFD. */
export function unquote(text: string): string | undefined {
  const inner = text.slice(1, -1);
  if (text.startsWith('`')) return inner.replaceAll('\r', '');
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const match of inner.matchAll(ESCAPE)) {
    const part = unescaped(match);
    if (part === undefined) return undefined;
    parts.push(Buffer.from(inner.slice(end, match.index)), part);
    end = match.index + match[0].length;
  }
  return end === 0 ? inner : Buffer.concat([...parts, Buffer.from(inner.slice(end))]).toString();
}

function unescaped([, x, u, U, octal, single]: readonly (string | undefined)[]): Uint8Array | undefined {
  if (x !== undefined) return Buffer.of(Number.parseInt(x, 16));
  if (octal !== undefined) return Buffer.of(Number.parseInt(octal, 8));
  const code = u ?? U;
  if (code !== undefined) return Buffer.from(runeText(Number.parseInt(code, 16)));
  const simple = ESCAPES[single ?? ''];
  return simple === undefined ? undefined : Buffer.from(simple);
}

/**
 * A number; a character constant is its code point. Integers that a number cannot hold are bigints; what has a point or an
 * exponent is a float64.
 */
export function parseNumber(text: string): number | bigint | WholeFloat | undefined {
  if (text.startsWith("'")) {
    const points = [...(unquote(text) ?? '')];
    return points.length === 1 ? points[0]?.codePointAt(0) : undefined;
  }
  const bare = text.replaceAll('_', '');
  const sign = bare.startsWith('-') ? -1 : 1;
  const digits = bare.replace(/^[+-]/, '');
  const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  const value = Number(octal);
  if (!Number.isFinite(value)) return undefined;
  if (/^[\d.e+-]*$/i.test(digits) && /[.e]/i.test(digits)) return goFloat(sign * value);
  const isExact = Number.isSafeInteger(value) || !/^(?:\d+|0[xbo][\da-f]+)$/i.test(octal);
  return isExact ? sign * value : BigInt(sign) * BigInt(octal);
}
