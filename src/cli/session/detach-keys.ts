import { errorMessage, parseDetachKeys } from '#base';
import { cliError } from '../core/errors.ts';

/** The bytes of docker's notation. @throws in the words of docker's client. */
export function detachKeysOf(text: string): Uint8Array {
  try {
    return parseDetachKeys(text);
  } catch (error) {
    throw cliError(`invalid detach keys (${text}): ${errorMessage(error)}`, { cause: error });
  }
}
