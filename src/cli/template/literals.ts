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

/** `strconv.Unquote`. */
export function unquote(text: string): string | undefined {
  const inner = text.slice(1, -1);
  if (text.startsWith('`')) return inner.replaceAll('\r', '');
  let valid = true;
  const value = inner.replaceAll(ESCAPE, (_all, x, u, U, octal, single) => {
    const code = x ?? u ?? U;
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    const simple = ESCAPES[single];
    if (simple === undefined) valid = false;
    return simple ?? '';
  });
  return valid ? value : undefined;
}

/** A number; a character constant is its code point. */
export function parseNumber(text: string): number | undefined {
  if (text.startsWith("'")) {
    const points = [...(unquote(text) ?? '')];
    return points.length === 1 ? points[0]?.codePointAt(0) : undefined;
  }
  const bare = text.replaceAll('_', '');
  const sign = bare.startsWith('-') ? -1 : 1;
  const digits = bare.replace(/^[+-]/, '');
  const octal = /^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits;
  const value = Number(octal);
  return Number.isNaN(value) ? undefined : sign * value;
}
