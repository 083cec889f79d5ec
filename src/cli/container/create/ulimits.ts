import type { Ulimit } from '#api';

const NAMES = new Set(
  'core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(
    ' ',
  ),
);

/**
 * Parses `name=soft[:hard]`; -1 is unlimited.
 * @throws docker's texts, to be completed by the flag's name.
 */
export function parseUlimit(text: string): Ulimit {
  const equals = text.indexOf('=');
  if (equals < 0) throw new Error(`invalid ulimit argument: ${text}`);
  const name = text.slice(0, equals).toLowerCase();
  if (!NAMES.has(name)) throw new Error(`invalid ulimit type: ${name}`);
  const [softText = '', hardText, ...rest] = text.slice(equals + 1).split(':');
  if (rest.length > 0)
    throw new Error(
      `too many limit value arguments - ${text.slice(equals + 1)}, can only have up to two, \`soft[:hard]\``,
    );
  const soft = parseLimit(softText);
  const hard = hardText === undefined ? soft : parseLimit(hardText);
  if (hard !== -1 && (soft === -1 || soft > hard)) {
    throw new Error(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  }
  return { Name: name, Soft: soft, Hard: hard };
}

function parseLimit(text: string): number {
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`);
}

export function validateUlimit(text: string): string {
  parseUlimit(text);
  return text;
}

/** The last one of each name, sorted by name. */
export function toUlimits(texts: readonly string[]): Ulimit[] {
  const byName = new Map(texts.map(parseUlimit).map((limit) => [limit.Name, limit]));
  return [...byName.values()].sort((a, b) => (a.Name < b.Name ? -1 : 1));
}
