import { familiarName, familiarReference, type Reference } from '#oci';
import { compilePattern } from './path-match.ts';

/** A predicate for `--filter reference=PATTERN`: docker's FamiliarMatch, on `name:tag` first, then on `name`. */
export function referenceMatcher(patterns: readonly string[]): (ref: Reference) => boolean {
  const compiled = patterns.map(compilePattern);
  return (ref) =>
    compiled.some((pattern) => pattern.test(familiarReference(ref)) || pattern.test(familiarName(ref)));
}
