import { cliError } from '../core/errors.ts';

/**
 * Splits one CSV record: commas separate, a field in double quotes may hold commas, `""` is a quote.
 * @throws for no record at all, for a quote inside a bare field or a quote that is never closed, in the words of Go's encoding/csv.
 */
export function parseCsv(text: string): string[] {
  if (text === '') throw cliError('EOF');
  const fields: string[] = [];
  let rest = text;
  for (;;) {
    const [field, after] = rest.startsWith('"') ? quotedField(rest, text) : bareField(rest, text);
    fields.push(field);
    if (after === undefined) return fields;
    rest = after;
  }
}

function bareField(rest: string, whole: string): [string, string | undefined] {
  const comma = rest.indexOf(',');
  const field = comma < 0 ? rest : rest.slice(0, comma);
  const quote = field.indexOf('"');
  if (quote >= 0) {
    const column = whole.length - rest.length + quote + 1;
    throw cliError(`parse error on line 1, column ${column}: bare " in non-quoted-field`);
  }
  return [field, comma < 0 ? undefined : rest.slice(comma + 1)];
}

function quotedField(rest: string, whole: string): [string, string | undefined] {
  const match = /^"((?:[^"]|"")*)"(?:,|$)/s.exec(rest);
  if (!match) {
    throw cliError(
      `parse error on line 1, column ${whole.length + 1}: extraneous or missing " in quoted-field`,
    );
  }
  const field = (match[1] ?? '').replaceAll('""', '"');
  return [field, match[0].endsWith(',') ? rest.slice(match[0].length) : undefined];
}
