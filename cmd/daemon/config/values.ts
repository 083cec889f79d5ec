import { invalidArgument } from '#base';
import type { OptionKind } from './options.ts';

/** What an option holds after reading, whether from a flag or from the file. */
export type OptionValue = boolean | string | number | readonly string[] | Readonly<Record<string, string>>;

/** Turns the texts given for one flag into its value. @throws `invalid_argument`. */
export function readFlag(name: string, kind: OptionKind, texts: readonly string[]): OptionValue {
  const last = texts.at(-1) ?? '';
  switch (kind) {
    case 'boolean':
      return readBoolean(name, last);
    case 'integer':
      return readInteger(name, last);
    case 'string':
      return last;
    case 'list':
    case 'any':
      return texts;
    case 'map':
      return Object.fromEntries(texts.map((text) => splitPair(name, text)));
  }
}

function readBoolean(name: string, text: string): boolean {
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw invalidArgument(
    `invalid argument ${JSON.stringify(text)} for "--${name}" flag: invalid boolean value`,
  );
}

function readInteger(name: string, text: string): number {
  if (!/^-?\d+$/.test(text)) {
    throw invalidArgument(`invalid argument ${JSON.stringify(text)} for "--${name}" flag: invalid integer`);
  }
  return Number(text);
}

function splitPair(name: string, text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals <= 0)
    throw invalidArgument(
      `invalid argument ${JSON.stringify(text)} for "--${name}" flag: expected key=value`,
    );
  return [text.slice(0, equals), text.slice(equals + 1)];
}

/** Checks one value of daemon.json against the option's kind and brings it to the flag's form. */
export function readConfigValue(key: string, kind: OptionKind, value: unknown): OptionValue {
  const converted = CONVERTERS[kind](key, value);
  if (converted === undefined)
    throw invalidArgument(
      `invalid value for ${JSON.stringify(key)}: expected ${kind}, got ${JSON.stringify(value)}`,
    );
  return converted;
}

const CONVERTERS: Record<OptionKind, (key: string, value: unknown) => OptionValue | undefined> = {
  boolean: (_, value) => (typeof value === 'boolean' ? value : undefined),
  string: (_, value) => (typeof value === 'string' || typeof value === 'number' ? String(value) : undefined),
  integer: (_, value) => (Number.isInteger(value) ? (value as number) : undefined),
  list: (_, value) => (Array.isArray(value) ? readList(value) : undefined),
  any: (_, value) => JSON.stringify(value),
  map: (key, value) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? readMap(key, value) : undefined,
};

/** Address pools are objects in the file (`{"base": …, "size": …}`) and `base=…,size=…` as a flag. */
function readList(items: readonly unknown[]): string[] | undefined {
  const texts = items.map((item) => {
    if (typeof item === 'string') return item;
    if (typeof item !== 'object' || item === null) return undefined;
    return Object.entries(item)
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(',');
  });
  return texts.every((text) => text !== undefined) ? texts : undefined;
}

/** `runtimes` holds `{"path": …, "runtimeArgs": […]}`, `default-ulimits` holds `{"Name", "Soft", "Hard"}`, the rest plain text. */
function readMap(key: string, value: object): Record<string, string> | undefined {
  const entries = Object.entries(value).map(([name, item]) => [name, readMapItem(key, item)] as const);
  return entries.every(([, text]) => text !== undefined)
    ? (Object.fromEntries(entries) as Record<string, string>)
    : undefined;
}

function readMapItem(key: string, item: unknown): string | undefined {
  if (typeof item === 'string' || typeof item === 'number') return String(item);
  if (typeof item !== 'object' || item === null) return undefined;
  const fields = item as Record<string, unknown>;
  if (key === 'default-ulimits')
    return `${fields['Soft'] ?? fields['Hard']}:${fields['Hard'] ?? fields['Soft']}`;
  if (key !== 'runtimes' || typeof fields['path'] !== 'string') return undefined;
  const args = Array.isArray(fields['runtimeArgs']) ? fields['runtimeArgs'] : [];
  return [fields['path'], ...args].join(' ');
}
