import { malformed } from './errors.ts';

/** No document of an image nests deeper; what does is an attack on recursive readers. */
const MAX_DEPTH = 64;

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Parses an untrusted JSON document of at most `maxBytes`.
 * @throws `invalid_argument` for too much, too deep or broken JSON. `what` names the document.
 */
export function parseJson(bytes: Uint8Array, what: string, maxBytes: number): unknown {
  if (bytes.byteLength > maxBytes) throw malformed(what, `larger than ${maxBytes} bytes`);
  checkDepth(bytes, what);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw malformed(what, 'not JSON', error);
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const CHANGE_OF_DEPTH = Int8Array.from({ length: 256 }, (_, byte) =>
  byte === 0x5b || byte === 0x7b ? 1 : byte === 0x5d || byte === 0x7d ? -1 : 0,
);

function checkDepth(bytes: Uint8Array, what: string): void {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) inString = !inString;
    else if (!inString) depth += CHANGE_OF_DEPTH[byte] ?? 0;
    else if (byte === BACKSLASH) at += 1;
    if (depth > MAX_DEPTH) throw malformed(what, `nested deeper than ${MAX_DEPTH} levels`);
  }
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A field check: returns the value or throws. */
type Check<T> = (value: unknown) => value is T;

/** The field of an object; absent and `null` are undefined. @throws `invalid_argument` when it is something else. */
export function optionalField<T>(
  object: JsonObject,
  name: string,
  check: Check<T>,
  what: string,
): T | undefined {
  const value = object[name];
  if (value === undefined || value === null) return undefined;
  if (!check(value)) throw malformed(what, `bad ${name}`);
  return value;
}

/** @throws `invalid_argument` when the field is missing or of another type. */
export function requiredField<T>(object: JsonObject, name: string, check: Check<T>, what: string): T {
  const value = optionalField(object, name, check, what);
  if (value === undefined) throw malformed(what, `no ${name}`);
  return value;
}

export const isString = (value: unknown): value is string => typeof value === 'string';
export const isArray = (value: unknown): value is readonly unknown[] => Array.isArray(value);
export const isStrings = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every(isString);
export const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
export const isNumber = (value: unknown): value is number => typeof value === 'number';
/** A count of bytes. */
export const isSize = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
export const isStringMap = (value: unknown): value is Readonly<Record<string, string>> =>
  isObject(value) && Object.values(value).every(isString);
export const isObjectMap = (value: unknown): value is Readonly<Record<string, object>> =>
  isObject(value) && Object.values(value).every(isObject);
