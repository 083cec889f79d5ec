import { cliError } from '../core/errors.ts';

/** Docker's default: Ctrl-P Ctrl-Q. */
export const DEFAULT_DETACH_KEYS = 'ctrl-p,ctrl-q';

const CONTROL_KEYS = '@abcdefghijklmnopqrstuvwxyz[\\]^_';

/**
 * Parses `ctrl-p,ctrl-q` or `a,b` to bytes; empty is the default.
 * @throws for anything but single characters and `ctrl-` with a letter or one of `@[\]^_`.
 */
export function parseDetachKeys(text: string): Uint8Array {
  const keys = (text === '' ? DEFAULT_DETACH_KEYS : text).split(',');
  return Uint8Array.from(
    keys.map((key) => {
      if (key.length === 1) return key.charCodeAt(0);
      const control = key.startsWith('ctrl-') ? CONTROL_KEYS.indexOf(key.slice('ctrl-'.length)) : -1;
      if (control < 0 || key.length !== 'ctrl-x'.length) {
        throw cliError(`invalid detach keys (${text}): Unknown character: '${key}'`);
      }
      return control;
    }),
  );
}

/** Finds the keys in a stream of input. Bytes that may begin the sequence are held back until the next ones decide. */
export class DetachDetector {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** What may be passed on, and whether the user detached (the rest is then dropped). */
  feed(chunk: Uint8Array): { readonly forward: Uint8Array; readonly detached: boolean } {
    const forward: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched += 1;
        if (this.#matched === this.#keys.length) return { forward: Uint8Array.from(forward), detached: true };
        continue;
      }
      forward.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) forward.push(byte);
    }
    return { forward: Uint8Array.from(forward), detached: false };
  }
}
