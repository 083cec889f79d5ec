/**
 * Finds the first syntax error of a JSON text and words it as Go's encoding/json does, which is what clients of the
 * Engine API see. Only run on texts that `JSON.parse` has refused.
 */
export function describeJsonError(text: string): string {
  try {
    new Scanner(text).document();
  } catch (error) {
    if (error instanceof SyntaxFault) return error.message;
    throw error;
  }
  return 'unexpected EOF';
}

class SyntaxFault extends Error {}

const MAX_DEPTH = 10_000;

/**
 * Whether the text nests deeper than Go's decoder allows, or looks like it where its syntax is broken. `JSON.parse`
 * takes about 70 bytes for each level that is open, so such a text must not reach it.
 */
export function isTooDeep(text: string): boolean {
  if (text.length <= MAX_DEPTH) return false;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) inString = !inString;
    else if (!inString) depth += CHANGE_OF_DEPTH[code] ?? 0;
    else if (code === BACKSLASH) at += 1;
    if (depth > MAX_DEPTH) return true;
  }
  return false;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const CHANGE_OF_DEPTH = Int8Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code);
  return '[{'.includes(char) ? 1 : ']}'.includes(char) ? -1 : 0;
});

class Scanner {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): void {
    this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#fail('after top-level value');
  }

  #fail(context: string): never {
    const char = this.#text[this.#at];
    if (char === undefined) throw new SyntaxFault('unexpected EOF');
    throw new SyntaxFault(`invalid character ${quoteChar(char)} ${context}`);
  }

  #space(): void {
    while (' \t\r\n'.includes(this.#text[this.#at] ?? 'x')) this.#at += 1;
  }

  #value(): void {
    this.#space();
    const char = this.#text[this.#at];
    if (char === '{') this.#nested(() => this.#object());
    else if (char === '[') this.#nested(() => this.#array());
    else if (char === '"') this.#string();
    else if (char === 't') this.#literal('true');
    else if (char === 'f') this.#literal('false');
    else if (char === 'n') this.#literal('null');
    else if (char === '-' || isDigit(char)) this.#number();
    else this.#fail('looking for beginning of value');
  }

  #nested(parse: () => void): void {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new SyntaxFault('exceeded max depth');
    this.#at += 1;
    parse();
    this.#depth -= 1;
  }

  #object(): void {
    this.#space();
    if (this.#take('}')) return;
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') this.#fail('looking for beginning of object key string');
      this.#string();
      this.#space();
      if (!this.#take(':')) this.#fail('after object key');
      this.#value();
      this.#space();
      if (this.#take('}')) return;
      if (!this.#take(',')) this.#fail('after object key:value pair');
    }
  }

  #array(): void {
    this.#space();
    if (this.#take(']')) return;
    for (;;) {
      this.#value();
      this.#space();
      if (this.#take(']')) return;
      if (!this.#take(',')) this.#fail('after array element');
    }
  }

  #string(): void {
    this.#at += 1;
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined || char < ' ') this.#fail('in string literal');
      this.#at += 1;
      if (char === '"') return;
      if (char === '\\') this.#escape();
    }
  }

  #escape(): void {
    const char = this.#text[this.#at];
    if (char === undefined || !'"\\/bfnrtu'.includes(char)) this.#fail('in string escape code');
    this.#at += 1;
    if (char !== 'u') return;
    for (let digits = 0; digits < 4; digits += 1) {
      if (!/^[0-9a-fA-F]$/.test(this.#text[this.#at] ?? ''))
        this.#fail('in \\u hexadecimal character escape');
      this.#at += 1;
    }
  }

  #literal(word: string): void {
    for (let index = 0; index < word.length; index += 1) {
      if (this.#text[this.#at] !== word[index]) {
        this.#fail(`in literal ${word} (expecting '${word[index]}')`);
      }
      this.#at += 1;
    }
  }

  #number(): void {
    this.#take('-');
    if (!this.#take('0') && !this.#digits()) this.#fail('in numeric literal');
    if (this.#take('.') && !this.#digits()) this.#fail('after decimal point in numeric literal');
    if (this.#take('e') || this.#take('E')) {
      if (!this.#take('+')) this.#take('-');
      if (!this.#digits()) this.#fail('in exponent of numeric literal');
    }
  }

  #digits(): boolean {
    const start = this.#at;
    while (isDigit(this.#text[this.#at])) this.#at += 1;
    return this.#at > start;
  }

  #take(char: string): boolean {
    if (this.#text[this.#at] !== char) return false;
    this.#at += 1;
    return true;
  }
}

const isDigit = (char: string | undefined): boolean => char !== undefined && char >= '0' && char <= '9';

function quoteChar(char: string): string {
  if (char === "'") return "'\\''";
  if (char === '"') return `'"'`;
  const escaped = JSON.stringify(char).slice(1, -1);
  return `'${escaped}'`;
}
