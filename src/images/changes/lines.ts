import { invalidArgument } from '#base';

/** One instruction of a Dockerfile text: `HEALTHCHECK --retries=3 CMD true`. */
export interface Instruction {
  /** As written: `cmd`, `CMD`. */
  readonly name: string;
  /** `retries` → `3`, in the order given; a flag without `=` has no value. */
  readonly flags: readonly (readonly [name: string, value: string | undefined])[];
  /** What follows name and flags, without surrounding white space. */
  readonly rest: string;
}

/**
 * Splits Dockerfile text into instructions: comments and empty lines go, a backslash at the end of a line joins.
 * @throws `invalid_argument` when nothing is left.
 */
export function parseInstructions(text: string): Instruction[] {
  const instructions: Instruction[] = [];
  let pending = '';
  for (const line of text.split(/\r?\n/)) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    const continued = /\\[ \t]*$/.test(line);
    pending += continued ? line.replace(/\\[ \t]*$/, '') : line;
    if (continued) continue;
    instructions.push(parseInstruction(pending));
    pending = '';
  }
  if (pending.trim() !== '') instructions.push(parseInstruction(pending));
  if (instructions.length === 0) throw invalidArgument('file with no instructions');
  return instructions;
}

function parseInstruction(line: string): Instruction {
  const match = /^(\S+)\s*(.*)$/s.exec(line.trim());
  const name = match?.[1] ?? '';
  let rest = match?.[2] ?? '';
  const flags: [string, string | undefined][] = [];
  for (let flag = /^--(\S*)\s*/.exec(rest); flag; flag = /^--(\S*)\s*/.exec(rest)) {
    rest = rest.slice(flag[0].length);
    const text = flag[1] ?? '';
    if (text === '') break;
    const equals = text.indexOf('=');
    flags.push(equals < 0 ? [text, undefined] : [text.slice(0, equals), text.slice(equals + 1)]);
  }
  return { name, flags, rest: rest.trimEnd() };
}

/**
 * The exec form (`["sh", "-c"]`) as a list; undefined when the text is not a JSON array.
 * @throws `invalid_argument` for an array of anything but strings.
 */
export function tryParseExecForm(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed)) return undefined;
  if (!parsed.every((item): item is string => typeof item === 'string')) {
    throw invalidArgument('when using JSON array syntax, arrays must be comprised of strings only');
  }
  return parsed;
}

/** The exec form, or else words at white space; for VOLUME and EXPOSE. */
export const parseList = (text: string): string[] =>
  tryParseExecForm(text) ?? (text === '' ? [] : text.split(/\s+/));
