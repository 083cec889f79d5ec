import { errorMessage, invalidArgument } from '#base';

/**
 * Replaces `$name`, `${name}`, `${name:-word}`, `${name:+word}`, `${name:?word}` (with and without the colon),
 * `${name#pattern}`, `${name%pattern}` (single and double), `${name/pattern/text}` and `//`, and takes quotes and
 * escapes off. Source: the Dockerfile reference, "Environment replacement".
 * @throws `invalid_argument` (`failed to process "X": …`).
 */
export function expand(text: string, env: ReadonlyMap<string, string>): string {
  return run(text, env).text;
}

/** {@link expand}, then split at white space that is not quoted; a variable's value is split too. */
export function expandWords(text: string, env: ReadonlyMap<string, string>): string[] {
  return run(text, env).words;
}

function run(text: string, env: ReadonlyMap<string, string>): Expanded {
  try {
    return new Expansion([...text], env).until(undefined, false);
  } catch (error) {
    throw invalidArgument(`failed to process ${JSON.stringify(text)}: ${errorMessage(error)}`);
  }
}

interface Expanded {
  readonly text: string;
  readonly words: string[];
}

class Output {
  text = '';
  readonly words: string[] = [];
  #word = '';

  quoted(piece: string): void {
    this.text += piece;
    this.#word += piece;
  }

  plain(piece: string): void {
    this.text += piece;
    for (const rune of piece) {
      if (!/\s/.test(rune)) this.#word += rune;
      else this.#flush();
    }
  }

  finish(): Expanded {
    this.#flush();
    return { text: this.text, words: this.words };
  }

  #flush(): void {
    if (this.#word !== '') this.words.push(this.#word);
    this.#word = '';
  }
}

class Expansion {
  readonly #runes: readonly string[];
  readonly #env: ReadonlyMap<string, string>;
  #at = 0;

  constructor(runes: readonly string[], env: ReadonlyMap<string, string>) {
    this.#runes = runes;
    this.#env = env;
  }

  /** Up to `stop` (consumed) or to the end. `keepEscapes` leaves backslashes in, for patterns. */
  until(stop: string | undefined, keepEscapes: boolean): Expanded {
    const output = new Output();
    for (let rune = this.#peek(); rune !== undefined; rune = this.#peek()) {
      if (rune === stop) {
        this.#at += 1;
        return output.finish();
      }
      this.#piece(rune, output, keepEscapes);
    }
    if (stop === '}') throw invalidArgument("syntax error: missing '}'");
    if (stop !== undefined) {
      throw invalidArgument(`unexpected end of statement while looking for matching ${stop}`);
    }
    return output.finish();
  }

  #piece(rune: string, output: Output, keepEscapes: boolean): void {
    if (rune === "'") output.quoted(this.#singleQuoted());
    else if (rune === '"') output.quoted(this.#doubleQuoted(keepEscapes));
    else if (rune === '$') output.plain(this.#dollar());
    else if (rune === '\\') output.quoted(this.#escaped(keepEscapes));
    else output.plain(this.#next() ?? '');
  }

  #escaped(keepEscapes: boolean): string {
    this.#at += 1;
    return `${keepEscapes ? '\\' : ''}${this.#next() ?? ''}`;
  }

  #singleQuoted(): string {
    const end = this.#runes.indexOf("'", this.#at + 1);
    if (end < 0) {
      throw invalidArgument('unexpected end of statement while looking for matching single-quote');
    }
    const text = this.#runes.slice(this.#at + 1, end).join('');
    this.#at = end + 1;
    return text;
  }

  #doubleQuoted(keepEscapes: boolean): string {
    let text = '';
    this.#at += 1;
    for (let rune = this.#peek(); rune !== undefined; rune = this.#peek()) {
      if (rune === '$') {
        text += this.#dollar();
        continue;
      }
      this.#at += 1;
      if (rune === '"') return text;
      text += rune === '\\' ? this.#escapedInQuotes(keepEscapes) : rune;
    }
    throw invalidArgument('unexpected end of statement while looking for matching double-quote');
  }

  #escapedInQuotes(keepEscapes: boolean): string {
    const next = this.#peek();
    const special = next === '"' || next === '$' || next === '\\';
    if (!special) return next === undefined ? '' : '\\';
    this.#at += 1;
    return `${keepEscapes ? '\\' : ''}${next}`;
  }

  #dollar(): string {
    this.#at += 1;
    if (this.#peek() !== '{') {
      const name = this.#name();
      return name === '' ? '$' : (this.#env.get(name) ?? '');
    }
    this.#at += 1;
    const first = this.#peek();
    if (first === undefined) throw invalidArgument("syntax error: missing '}'");
    if (first === '{' || first === '}' || first === ':') {
      throw invalidArgument('syntax error: bad substitution');
    }
    const name = this.#name();
    const modifier = this.#next();
    if (modifier === '}') return this.#env.get(name) ?? '';
    if (modifier === undefined) throw invalidArgument("syntax error: missing '}'");
    return modifier === '/' ? this.#replaced(name) : this.#modified(name, modifier);
  }

  #modified(name: string, modifier: string): string {
    const emptyIsUnset = modifier === ':';
    const kind = emptyIsUnset ? (this.#next() ?? '') : modifier;
    const known = emptyIsUnset ? ['+', '-', '?'] : ['+', '-', '?', '#', '%'];
    if (!known.includes(kind)) {
      throw invalidArgument(`unsupported modifier (${emptyIsUnset ? ':' : ''}${kind}) in substitution`);
    }
    const word = this.until('}', kind === '#' || kind === '%').text;
    const value = this.#env.get(name);
    if (kind === '#' || kind === '%') return trimmed(value ?? '', kind, word);
    return chosen({ name, value, kind, word, emptyIsUnset });
  }

  #replaced(name: string): string {
    const all = this.#peek() === '/';
    if (all) this.#at += 1;
    const pattern = shellPattern(this.until('/', true).text, true);
    const replacement = this.until('}', true).text;
    return (this.#env.get(name) ?? '').replace(new RegExp(pattern, all ? 'gs' : 's'), () => replacement);
  }

  #name(): string {
    const rest = this.#runes.slice(this.#at).join('');
    const name = /^(?:\p{Nd}+|[@*#?\-$!]|[\p{L}_][\p{L}\p{Nd}_]*)/u.exec(rest)?.[0] ?? '';
    this.#at += [...name].length;
    return name;
  }

  #peek(): string | undefined {
    return this.#runes[this.#at];
  }

  #next(): string | undefined {
    const rune = this.#runes[this.#at];
    this.#at += 1;
    return rune;
  }
}

/** The word, the value or nothing, by whether the variable is set. */
function chosen(options: {
  readonly name: string;
  readonly value: string | undefined;
  readonly kind: string;
  readonly word: string;
  readonly emptyIsUnset: boolean;
}): string {
  const { name, value, kind, word, emptyIsUnset } = options;
  const set = emptyIsUnset && value === '' ? undefined : value;
  if (kind === '-') return set ?? word;
  if (kind === '+') return set === undefined ? '' : word;
  if (set !== undefined) return set;
  throw invalidArgument(
    `${name}: ${word || `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`}`,
  );
}

function trimmed(value: string, kind: string, word: string): string {
  const longest = word.startsWith(kind);
  const pattern = shellPattern(longest ? word.slice(1) : word, longest);
  if (kind === '#') return value.replace(new RegExp(`^(?:${pattern})`, 's'), '');
  if (longest) return value.replace(new RegExp(`(?:${pattern})$`, 's'), '');
  // The shortest suffix is the match that starts last.
  const anchored = new RegExp(`^(?:${pattern})$`, 's');
  for (let at = value.length; at >= 0; at -= 1) if (anchored.test(value.slice(at))) return value.slice(0, at);
  return value;
}

/** `*` and `?` of a shell pattern as the source of a regular expression. */
function shellPattern(pattern: string, greedy: boolean): string {
  const piece = /\\([\s\S])?|[\s\S]/g;
  return pattern.replace(piece, (text: string, escaped: string | undefined) => {
    if (text === '*') return greedy ? '.*' : '.*?';
    if (text === '?') return '.';
    if (!text.startsWith('\\')) return literal(text);
    if (escaped !== undefined && '*?\\}/'.includes(escaped)) return literal(escaped);
    throw invalidArgument(`invalid pattern (${pattern}) in substitution: invalid escape '${text}'`);
  });
}

const literal = (char: string): string => char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
