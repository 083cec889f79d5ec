import { invalidPattern } from './errors.ts';

type Token =
  | { readonly kind: 'star' }
  | { readonly kind: 'any' }
  | { readonly kind: 'rune'; readonly rune: string }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly Range[] };
type Range = readonly [low: number, high: number];

/** A compiled pattern. */
export interface PathPattern {
  test(name: string): boolean;
}

/**
 * A shell pattern that names match as a whole, by the rules of Go's path.Match: `*` and `?` stop at `/`,
 * `[a-z]`, `[^a]`, and `\` takes the next character literally.
 * @throws `invalid_argument` (`syntax error in pattern`) for a broken pattern.
 */
export function compilePattern(pattern: string): PathPattern {
  const tokens = tokenize([...pattern]);
  return { test: (name) => matchTokens(tokens, [...name]) };
}

/**
 * Only the latest star is ever retried: whatever an earlier one took, the latest can make up for it. So the cost
 * is at most pattern times name, which a regular expression would not promise.
 */
function matchTokens(tokens: readonly Token[], runes: readonly string[]): boolean {
  let token = 0;
  let rune = 0;
  let star = -1;
  let starRune = 0;
  while (rune < runes.length || token < tokens.length) {
    const current = tokens[token];
    if (current?.kind === 'star') {
      star = token;
      starRune = rune;
      token += 1;
    } else if (current !== undefined && rune < runes.length && accepts(current, runes[rune] ?? '')) {
      token += 1;
      rune += 1;
    } else {
      if (star < 0 || starRune >= runes.length || runes[starRune] === '/') return false;
      starRune += 1;
      rune = starRune;
      token = star + 1;
    }
  }
  return true;
}

function accepts(token: Token, rune: string): boolean {
  if (token.kind === 'rune') return token.rune === rune;
  if (token.kind === 'any') return rune !== '/';
  if (token.kind === 'star') return false;
  const point = rune.codePointAt(0) ?? 0;
  return token.ranges.some(([low, high]) => low <= point && point <= high) !== token.negated;
}

function tokenize(runes: readonly string[]): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < runes.length; ) {
    const rune = runes[at];
    if (rune === '[') {
      const { token, next } = characterClass(runes, at + 1);
      tokens.push(token);
      at = next;
    } else if (rune === '*' || rune === '?') {
      tokens.push({ kind: rune === '*' ? 'star' : 'any' });
      at += 1;
    } else {
      const { text, next } = literal(runes, at);
      tokens.push({ kind: 'rune', rune: text });
      at = next;
    }
  }
  return tokens;
}

function characterClass(runes: readonly string[], start: number): { token: Token; next: number } {
  const negated = runes[start] === '^';
  const ranges: Range[] = [];
  let at = negated ? start + 1 : start;
  do {
    const low = classMember(runes, at);
    const high = runes[low.next] === '-' ? classMember(runes, low.next + 1) : low;
    at = high.next;
    ranges.push([low.text.codePointAt(0) ?? 0, high.text.codePointAt(0) ?? 0]);
  } while (runes[at] !== ']');
  return { token: { kind: 'class', negated, ranges }, next: at + 1 };
}

function classMember(runes: readonly string[], at: number): { text: string; next: number } {
  const rune = runes[at];
  if (rune === undefined || rune === '-' || rune === ']') throw invalidPattern();
  const member = literal(runes, at);
  if (member.next >= runes.length) throw invalidPattern();
  return member;
}

function literal(runes: readonly string[], at: number): { text: string; next: number } {
  if (runes[at] !== '\\') return { text: runes[at] ?? '', next: at + 1 };
  const escaped = runes[at + 1];
  if (escaped === undefined) throw invalidPattern();
  return { text: escaped, next: at + 2 };
}
