import { errorMessage, invalidArgument } from './errdefs.ts';

export interface GoRegexp {
  /** Whether the pattern is found anywhere in the text. */
  test(text: string): boolean;
}

/** Means itself in every notation. */
const PLAIN = /^[\w/ -]*$/;

/**
 * A regular expression in Go's notation (RE2), in time linear in the text: JavaScript's own would let whoever writes the
 * pattern hold up the whole daemon.
 * @throws `invalid_argument` with Go's text (`error parsing regexp: …`).
 */
export function compileGoRegexp(pattern: string): GoRegexp {
  if (PLAIN.test(pattern)) return { test: (text) => text.includes(pattern) };
  // Loaded when it is needed: it takes some 10 ms and 8 MB.
  const { RE2JS } = require('re2js') as typeof import('re2js');
  try {
    const compiled = RE2JS.compile(pattern);
    return { test: (text) => compiled.matcher(text).find() };
  } catch (error) {
    throw invalidArgument(errorMessage(error));
  }
}

/** The same for patterns that nobody has checked: one that is none matches nothing. */
export function tolerantGoRegexp(pattern: string): GoRegexp {
  try {
    return compileGoRegexp(pattern);
  } catch {
    return { test: () => false };
  }
}
