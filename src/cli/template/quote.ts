const NAMED: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

/** Everything that Go's strconv takes for invisible: only the blank is a space to see. */
const INVISIBLE = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u;

/** `strconv.Quote` and `strconv.QuoteRune`: `mark` is the quote around it. `ascii`: escapes everything else. */
export function goQuote(text: string, mark = '"', ascii = false): string {
  const shown = [...text].map((char) => {
    if (char === mark) return `\\${mark}`;
    const plain = NAMED[char] === undefined && !INVISIBLE.test(char) && !(ascii && char > '\x7f');
    return plain ? char : (NAMED[char] ?? escaped(char.codePointAt(0) ?? 0));
  });
  return `${mark}${shown.join('')}${mark}`;
}

function escaped(code: number): string {
  if (code < 0x80) return `\\x${hex(code, 2)}`;
  return code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, '0');

const MAX_RUNE = 0x10ffff;

/** A code point as text; what is none is U+FFFD. */
export const runeText = (code: number): string =>
  code < 0 || code > MAX_RUNE || (code >= 0xd800 && code < 0xe000) ? '\ufffd' : String.fromCodePoint(code);
