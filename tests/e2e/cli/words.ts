/**
 * Splits a command line into words as a shell does: blanks separate; '…' keeps everything, "…" knows `\"` and `\\`.
 * Tables of scenarios stay readable with it.
 */
export function words(line: string): string[] {
  const found: string[] = [];
  const pattern = /(?:'[^']*'|"(?:\\.|[^"\\])*"|[^\s'"])+/g;
  for (const [word] of line.matchAll(pattern))
    found.push(
      word.replaceAll(/'([^']*)'|"((?:\\.|[^"\\])*)"/g, (_all, single?: string, double?: string) =>
        single === undefined ? (double ?? '').replaceAll(/\\(["\\])/g, '$1') : single,
      ),
    );
  return found;
}
