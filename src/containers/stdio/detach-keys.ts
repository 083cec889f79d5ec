import { invalidDetachKeys } from '../errors.ts';

const DEFAULT_KEYS = 'ctrl-p,ctrl-q';
/** `ctrl-` keys beyond the letters, in the order of their codes from 27 on. */
const SPECIALS = '[\\]^_';

/**
 * Docker's notation (`ctrl-p,ctrl-q`, `a`, `ctrl-@`) to bytes; empty is the default.
 * @throws `invalid_argument` (`Invalid detach keys (X) provided`).
 */
export function parseDetachKeys(text: string): Uint8Array {
  const keys = (text || DEFAULT_KEYS).split(',').map((key) => keyCode(key));
  if (keys.includes(undefined)) throw invalidDetachKeys(text);
  return Uint8Array.from(keys as number[]);
}

function keyCode(key: string): number | undefined {
  if (key.length === 1) return key.charCodeAt(0) < 256 ? key.charCodeAt(0) : undefined;
  const match = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key);
  const control = match?.[1]?.toLowerCase();
  if (!control) return undefined;
  if (control === '@') return 0;
  const special = SPECIALS.indexOf(control);
  return special >= 0 ? 27 + special : control.charCodeAt(0) - 96;
}

/** Watches a client's input for the detach sequence, which may be spread over several chunks. */
export class DetachDetector {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** `forward` goes to the process: a started sequence is held back until it is complete or broken. */
  feed(chunk: Uint8Array): { readonly forward: Uint8Array; readonly detached: boolean } {
    const forward: number[] = [];
    for (const byte of chunk) {
      if (byte !== this.#keys[this.#matched]) {
        forward.push(...this.#keys.subarray(0, this.#matched));
        this.#matched = 0;
      }
      if (byte !== this.#keys[this.#matched]) forward.push(byte);
      else this.#matched += 1;
      if (this.#matched === this.#keys.length) {
        this.#matched = 0;
        return { forward: Uint8Array.from(forward), detached: true };
      }
    }
    return { forward: Uint8Array.from(forward), detached: false };
  }
}
