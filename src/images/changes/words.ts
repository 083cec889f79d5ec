import { invalidArgument } from '#base';

const ESCAPE = '\\';

/**
 * Splits the rest of an instruction into words at white space outside of quotes. Quotes and escapes stay in the
 * words; `expand` takes them off. Source: the Dockerfile reference, ENV and LABEL.
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (const piece of pieces(text)) {
    if (quote === '' && /^\s$/u.test(piece)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    if (quote === '' && (piece === '"' || piece === "'")) quote = piece;
    else if (piece === quote) quote = '';
    word = `${word ?? ''}${piece}`;
  }
  if (word !== undefined) words.push(word);
  return words;
}

/** Runes; an escape outside of single quotes comes with what it escapes, and stands for nothing at the end. */
function* pieces(text: string): Generator<string> {
  let isSingleQuoted = false;
  let isDoubleQuoted = false;
  const runes = [...text];
  for (let at = 0; at < runes.length; at += 1) {
    const rune = runes[at] ?? '';
    if (rune === ESCAPE && !isSingleQuoted) {
      at += 1;
      const escaped = runes[at];
      if (escaped !== undefined) yield rune + escaped;
      continue;
    }
    if (rune === "'" && !isDoubleQuoted) isSingleQuoted = !isSingleQuoted;
    if (rune === '"' && !isSingleQuoted) isDoubleQuoted = !isDoubleQuoted;
    yield rune;
  }
}

/**
 * `name=value …` or the old `name value` as pairs, values still quoted.
 * @throws `invalid_argument` with docker's texts.
 */
export function parsePairs(instruction: string, text: string): (readonly [name: string, value: string])[] {
  const words = splitWords(text);
  const [first] = words;
  if (first === undefined) throw invalidArgument(`${instruction} requires at least one argument`);
  const pairs = first.includes('=') ? words.map(parsePair) : [parseOldPair(instruction, text)];
  if (pairs.some(([name]) => name === '')) throw invalidArgument(`${instruction} names can not be blank`);
  return pairs;
}

function parsePair(word: string): readonly [string, string] {
  const at = word.indexOf('=');
  if (at < 0) {
    throw invalidArgument(
      `Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`,
    );
  }
  return [word.slice(0, at), word.slice(at + 1)];
}

function parseOldPair(instruction: string, text: string): readonly [string, string] {
  const match = /^(\S+)\s+(.*)$/s.exec(text);
  if (!match) throw invalidArgument(`${instruction} must have two arguments`);
  return [match[1] ?? '', match[2] ?? ''];
}
