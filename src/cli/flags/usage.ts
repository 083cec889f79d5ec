import type { FlagSpec, FlagSpecs, FlagType } from './spec.ts';

const TYPE_NAMES: Partial<Record<FlagType, string>> = {
  bool: '',
  stringSlice: 'strings',
  int64: 'int',
  uint64: 'uint',
  memswap: 'bytes',
};

const NARROWEST_TEXT = 24;
const FALLBACK_INDENT = 16;
const SLOP = 5;

/** The name shown after a flag; empty for switches. */
export const flagTypeName = (spec: FlagSpec): string => spec.typeName ?? TYPE_NAMES[spec.type] ?? spec.type;

/** ` (default X)`, or nothing when the default is the type's zero. */
export function defaultText(spec: FlagSpec): string {
  if (spec.default === undefined || spec.default === '' || spec.default === 'false') return '';
  return spec.type === 'string' ? ` (default ${JSON.stringify(spec.default)})` : ` (default ${spec.default})`;
}

/** The options block of a help text: aligned, sorted by long name, wrapped to `columns`. */
export function renderFlags(specs: FlagSpecs, columns: number): string {
  const rows = Object.entries(specs)
    .filter(([, spec]) => !spec.hidden)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, spec]) => {
      const lead = spec.short === undefined ? `      --${name}` : `  -${spec.short}, --${name}`;
      const type = flagTypeName(spec);
      return { left: type === '' ? lead : `${lead} ${type}`, text: `${spec.summary}${defaultText(spec)}` };
    });
  const indent = Math.max(...rows.map(({ left }) => left.length)) + 3;
  return rows.map(({ left, text }) => `${left.padEnd(indent)}${wrap(indent, columns, text)}\n`).join('');
}

function wrap(indent: number, columns: number, text: string): string {
  let head = '';
  if (columns - indent < NARROWEST_TEXT) {
    indent = FALLBACK_INDENT;
    head = `\n${' '.repeat(indent)}`;
  }
  const pad = `\n${' '.repeat(indent)}`;
  const width = columns - indent - SLOP;
  if (width + SLOP < NARROWEST_TEXT) return head + text.replaceAll('\n', pad);
  const lines: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const [line, after] = cutLine(rest, width);
    lines.push(line);
    rest = after;
  }
  return head + lines.join(pad);
}

/** Cuts at the last newline or blank before `width`; a little overhang beats a cut. */
function cutLine(text: string, width: number): [string, string] {
  if (width + SLOP > text.length) {
    const newline = text.indexOf('\n');
    return newline < 0 ? [text, ''] : [text.slice(0, newline), text.slice(newline + 1)];
  }
  const window = text.slice(0, width);
  const newline = window.indexOf('\n');
  const blank = newline > 0 ? newline : Math.max(window.lastIndexOf(' '), window.lastIndexOf('\t'));
  return blank <= 0 ? [text, ''] : [text.slice(0, blank), text.slice(blank + 1)];
}
