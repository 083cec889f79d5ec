import { parseDetachKeys } from '#base';
import { invalidDetachKeys } from '../errors.ts';

/** The bytes of docker's notation. @throws `invalid_argument` in the words of docker's daemon. */
export function detachKeysOf(text: string): Uint8Array {
  try {
    return parseDetachKeys(text);
  } catch (error) {
    throw invalidDetachKeys(text, error);
  }
}
