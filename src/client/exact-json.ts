const MAYBE_UNSAFE = /\d{16}/;

/**
 * Parses JSON without losing digits: integers that a number cannot hold become bigint. For answers that are shown as they
 * came (inspect, events); elsewhere such numbers do not occur or do not matter.
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
