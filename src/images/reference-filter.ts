import { familiarName, familiarReference, formatReference, type Reference, repositoryName } from '#oci';
import { compilePattern } from './path-match.ts';

const NAMES = [familiarReference, familiarName, formatReference, repositoryName] as const;

/** A predicate for `--filter reference=PATTERN`: of the short or the full name, with or without its tag. */
export function referenceMatcher(patterns: readonly string[]): (ref: Reference) => boolean {
  const compiled = patterns.map(compilePattern);
  return (ref) => compiled.some((pattern) => NAMES.some((nameOf) => pattern.test(nameOf(ref))));
}
