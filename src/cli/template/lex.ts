import { TemplateSyntaxError } from './errors.ts';

export type TokenKind =
  | 'text'
  | 'left'
  | 'right'
  | 'field'
  | 'variable'
  | 'identifier'
  | 'keyword'
  | 'dot'
  | 'nil'
  | 'bool'
  | 'number'
  | 'string'
  | 'char'
  | 'pipe'
  | '('
  | ')'
  | ','
  | '='
  | ':='
  | 'space'
  | 'eof';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly pos: number;
  readonly line: number;
}

const KEYWORDS = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'range',
  'template',
  'with',
]);

/** What may stand inside an action, in the order it is tried. */
const RULES: readonly (readonly [TokenKind, RegExp])[] = [
  ['space', /[ \t\r\n]+/y],
  ['string', /"(?:\\.|[^"\\\n])*"|`[^`]*`/y],
  ['char', /'(?:\\.|[^'\\\n])*'/y],
  [':=', /:=/y],
  ['=', /=/y],
  ['pipe', /\|/y],
  ['(', /\(/y],
  [')', /\)/y],
  [',', /,/y],
  ['field', /\.[\p{L}_][\p{L}\p{N}_]*/uy],
  [
    'number',
    /[+-]?(?:0[xX][0-9a-fA-F_]*|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?)/y,
  ],
  ['dot', /\./y],
  ['variable', /\$[\p{L}\p{N}_]*/uy],
  ['identifier', /[\p{L}_][\p{L}\p{N}_]*/uy],
];

const WORDS: ReadonlySet<TokenKind> = new Set(['field', 'variable', 'identifier']);
const AFTER_WORD = /(?:[\s.,|:)(=]|\}\}|$)/y;
const UNTERMINATED: Readonly<Record<string, string>> = {
  '"': 'unterminated quoted string',
  '`': 'unterminated raw quoted string',
  "'": 'unterminated character constant',
};

/** Splits a template into tokens, in Go's grammar. @throws TemplateSyntaxError. */
export function lex(source: string, name = ''): Token[] {
  return new Lexer(source, name).run();
}

class Lexer {
  readonly #source: string;
  readonly #name: string;
  readonly #tokens: Token[] = [];
  #pos = 0;
  #line = 1;
  #parens = 0;

  constructor(source: string, name: string) {
    this.#source = source;
    this.#name = name;
  }

  run(): Token[] {
    while (this.#pos < this.#source.length) {
      const left = this.#source.indexOf('{{', this.#pos);
      this.#text(left < 0 ? this.#source.length : left);
      if (left >= 0) this.#action();
    }
    this.#push('eof', '');
    return this.#tokens;
  }

  /** Text up to `end`; a following `{{- ` trims its end. */
  #text(end: number): void {
    const whole = this.#source.slice(this.#pos, end);
    const trims = /^\{\{-[ \t\r\n]/.test(this.#source.slice(end, end + 4));
    const text = trims ? whole.replace(/[ \t\r\n]+$/, '') : whole;
    if (text !== '') this.#push('text', text);
    this.#advance(whole);
  }

  #action(): void {
    const left = this.#match(/\{\{(?:-(?=[ \t\r\n]))?/y) ?? '';
    const start = this.#pos;
    this.#advance(left);
    if (this.#match(/\s*\/\*/y) !== undefined) {
      this.#comment();
      return;
    }
    this.#tokens.push({ kind: 'left', text: left, pos: start, line: this.#line });
    this.#parens = 0;
    for (;;) {
      const right = this.#match(/(?:[ \t\r\n]-)?\}\}/y);
      if (right !== undefined) {
        if (this.#parens > 0) throw this.#error('unclosed left paren');
        this.#push('right', '}}');
        this.#close(right);
        return;
      }
      this.#inside();
    }
  }

  #comment(): void {
    const comment = this.#match(/\s*\/\*[\s\S]*?\*\//y);
    if (comment === undefined) throw this.#error('unclosed comment');
    this.#advance(comment);
    const right = this.#match(/(?:[ \t\r\n]-)?\}\}/y);
    if (right === undefined) throw this.#error('comment ends before closing delimiter');
    this.#close(right);
  }

  /** Consumes the closing delimiter; ` -}}` trims the text behind it. */
  #close(right: string): void {
    this.#advance(right);
    if (right.includes('-')) this.#advance(this.#match(/[ \t\r\n]*/y) ?? '');
  }

  #inside(): void {
    for (const [kind, pattern] of RULES) {
      const text = this.#match(pattern);
      if (text === undefined) continue;
      this.#check(kind, text);
      this.#push(kind === 'identifier' ? wordKind(text) : kind, text);
      this.#advance(text);
      return;
    }
    const char = String.fromCodePoint(this.#source.codePointAt(this.#pos) ?? 0);
    if (this.#pos >= this.#source.length) throw this.#error('unclosed action');
    throw this.#error(UNTERMINATED[char] ?? `unrecognized character in action: ${describe(char)}`);
  }

  #check(kind: TokenKind, text: string): void {
    if (kind === '(') this.#parens += 1;
    if (kind === ')') this.#parens -= 1;
    if (this.#parens < 0) throw this.#error('unexpected right paren');
    const next = String.fromCodePoint(this.#source.codePointAt(this.#pos + text.length) ?? 0);
    AFTER_WORD.lastIndex = this.#pos + text.length;
    if (WORDS.has(kind) && !AFTER_WORD.test(this.#source))
      throw this.#error(`bad character ${describe(next)}`);
    if (kind === 'number' && /\w/.test(next)) {
      throw this.#error(`bad number syntax: ${JSON.stringify(`${text}${next}`)}`);
    }
  }

  /** What `pattern` (sticky) matches at the current place. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#pos;
    return pattern.exec(this.#source)?.[0];
  }

  #push(kind: TokenKind, text: string): void {
    this.#tokens.push({ kind, text, pos: this.#pos, line: this.#line });
  }

  #advance(text: string): void {
    this.#pos += text.length;
    this.#line += text.split('\n').length - 1;
  }

  #error(message: string): TemplateSyntaxError {
    return new TemplateSyntaxError(this.#name, this.#line, message);
  }
}

function wordKind(text: string): TokenKind {
  if (KEYWORDS.has(text)) return 'keyword';
  if (text === 'true' || text === 'false') return 'bool';
  return text === 'nil' ? 'nil' : 'identifier';
}

/** `U+0023 '#'` */
function describe(char: string): string {
  const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
  return `U+${code} '${char}'`;
}
