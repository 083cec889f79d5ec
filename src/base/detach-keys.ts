import { invalidArgument } from './errdefs.ts';

const DEFAULT_KEYS = 'ctrl-p,ctrl-q';
/** The keys that `ctrl-` makes codes 0 to 31 of, in that order. */
const CONTROL_KEYS = '@abcdefghijklmnopqrstuvwxyz[\\]^_';
const DELETE = 127;

/**
 * Docker's notation of the keys that leave an attached process (`ctrl-p,ctrl-q`, `a,b`, `ctrl-@`, `DEL`) to bytes;
 * empty is the default. @throws `invalid_argument` (`Unknown character: 'X'`, as moby/term says it).
 */
export function parseDetachKeys(text: string): Uint8Array {
  return Uint8Array.from((text === '' ? DEFAULT_KEYS : text).split(','), keyCode);
}

function keyCode(key: string): number {
  if (/^[\0-\x7f]$/.test(key)) return key.charCodeAt(0);
  if (key === 'DEL') return DELETE;
  const code = /^ctrl-.$/.test(key) ? CONTROL_KEYS.indexOf(key.slice(-1)) : -1;
  if (code < 0) throw invalidArgument(`Unknown character: '${key}'`);
  return code;
}

/** Finds the keys in a stream of input, where they may be spread over several chunks. */
export class DetachDetector {
  readonly #keys: Uint8Array;
  /** So many bytes of the keys have been seen, and are held back until the next ones decide. */
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** What may be passed on, and whether the user detached; what follows the keys is then dropped. */
  feed(chunk: Uint8Array): { readonly forward: Uint8Array; readonly detached: boolean } {
    const forward: number[] = [];
    for (const byte of chunk) {
      this.#step(byte, forward);
      if (this.#matched < this.#keys.length) continue;
      this.#matched = 0;
      return { forward: Uint8Array.from(forward), detached: true };
    }
    return { forward: Uint8Array.from(forward), detached: false };
  }

  #step(byte: number, forward: number[]): void {
    while (byte !== this.#keys[this.#matched]) {
      if (this.#matched === 0) return void forward.push(byte);
      this.#giveUpFirst(forward);
    }
    this.#matched += 1;
  }

  /** What is held back does not begin the keys after all; its end may: with `a,a,b`, the input `aaab` detaches. */
  #giveUpFirst(forward: number[]): void {
    const held = this.#keys.subarray(0, this.#matched);
    const isBorder = (length: number) =>
      held.subarray(held.length - length).every((byte, index) => byte === held[index]);
    let length = held.length - 1;
    while (length > 0 && !isBorder(length)) length -= 1;
    forward.push(...held.subarray(0, held.length - length));
    this.#matched = length;
  }
}
