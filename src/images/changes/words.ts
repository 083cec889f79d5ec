import { invalidArgument } from '#base';

const ESCAPE = '\\';
const isSpace = (rune: string): boolean => /\s/.test(rune);

/**
 * Splits the rest of an instruction into words at white space outside of quotes. Quotes and escapes stay in the
 * words; `expand` takes them off. Source: the Dockerfile reference, ENV and LABEL.
 */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  let started = false;
  let quote = '';
  const runes = [...text];
  for (let at = 0; at < runes.length; at += 1) {
    const rune = runes[at] ?? '';
    if (quote === '' && isSpace(rune)) {
      if (started) words.push(word);
      word = '';
      started = false;
      continue;
    }
    // An escape at the very end stands for nothing; anywhere else it keeps the next rune from having a meaning.
    if (rune === ESCAPE && quote !== "'") {
      const escaped = runes[at + 1];
      if (escaped === undefined) break;
      word += rune + escaped;
      started = true;
      at += 1;
      continue;
    }
    if (quote === '' && (rune === '"' || rune === "'")) quote = rune;
    else if (rune === quote) quote = '';
    word += rune;
    started = true;
  }
  if (started) words.push(word);
  return words;
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
