const MAYBE_UNSAFE = /\d{16}/;

/**
 * Parses JSON without losing digits: integers that a number cannot hold become bigint. For answers that are shown as
 * they came (inspect, events) and for 64-bit masks; elsewhere such numbers do not occur or do not matter.
 */
export function parseExactJson(text: string): unknown {
  if (!MAYBE_UNSAFE.test(text)) return JSON.parse(text);
  return JSON.parse(text, exactNumber as (key: string, value: unknown) => unknown);
}

function exactNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== 'number' || source === undefined || Number.isSafeInteger(value)) return value;
  return /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/** ECMAScript's `JSON.rawJSON`, which the type library does not know yet. */
const rawJson = (text: string): unknown =>
  (JSON as unknown as { readonly rawJSON: (text: string) => unknown }).rawJSON(text);

/** The JSON of a value in which a bigint may stand for an integer that a number cannot hold. */
export function stringifyExactJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    // Visiting every member costs ten times as much: only for what does hold one.
    if (!(error instanceof TypeError)) throw error;
    return JSON.stringify(value, (_key, member: unknown) =>
      typeof member === 'bigint' ? rawJson(String(member)) : member,
    );
  }
}
