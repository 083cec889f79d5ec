/**
 * Paths between JavaScript strings and the kernel's bytes.
 *
 * File names are bytes, mostly UTF-8. A byte that is not part of valid UTF-8 becomes the lone surrogate
 * U+DC00 + byte (U+DC80 to U+DCFF) and back, so that every name survives the round trip.
 */
import { SysError } from './errors.ts';
import { allocate, type Memory } from './ffi.ts';

const ESCAPE = 0xdc00;
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** PATH_MAX with its terminating NUL; the kernel accepts no longer path. */
const PATH_CAPACITY = 4096;

/** A path as a string. See the file comment for bytes that are not UTF-8. */
export function pathFromBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return decodeLossless(bytes);
  }
}

function decodeLossless(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = validSequenceLength(bytes, at);
    text +=
      length === 0
        ? String.fromCharCode(ESCAPE + (bytes[at] ?? 0))
        : strict.decode(bytes.subarray(at, at + length));
    at += length || 1;
  }
  return text;
}

function validSequenceLength(bytes: Uint8Array, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    try {
      strict.decode(bytes.subarray(at, at + length));
      return length;
    } catch {
      // Not yet a whole character.
    }
  }
  return 0;
}

/** The bytes of a path, without a terminating NUL. */
export function pathToBytes(path: string): Uint8Array {
  if (path.isWellFormed()) return encoder.encode(path);
  const parts: number[] = [];
  for (const character of path) {
    const code = character.charCodeAt(0);
    if (character.length === 1 && code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff) parts.push(code - ESCAPE);
    else parts.push(...encoder.encode(character));
  }
  return Uint8Array.from(parts);
}

/** Reusable memory that holds one C string for a call. */
export class PathBuffer {
  readonly #memory: Memory;

  constructor(capacity = PATH_CAPACITY) {
    this.#memory = allocate(capacity);
  }

  /** Stores `path` and returns its address, valid until the next call. ENAMETOOLONG or EINVAL (NUL inside). */
  put(path: string, syscall: string) {
    if (path.includes('\0'))
      throw new SysError('EINVAL', syscall, `path ${JSON.stringify(path)} contains NUL`);
    const { bytes, address } = this.#memory;
    const length = path.isWellFormed() ? this.#encode(path) : this.#copy(pathToBytes(path));
    if (length < 0 || length >= bytes.length) throw new SysError('ENAMETOOLONG', syscall);
    bytes[length] = 0;
    return address;
  }

  #encode(path: string): number {
    const { read, written } = encoder.encodeInto(path, this.#memory.bytes);
    return read === path.length ? written : -1;
  }

  #copy(encoded: Uint8Array): number {
    if (encoded.length >= this.#memory.bytes.length) return -1;
    this.#memory.bytes.set(encoded);
    return encoded.length;
  }
}

/** A C string in memory of its own, for long or several strings in one call. */
export function cString(text: string, syscall: string): Memory {
  if (text.includes('\0')) throw new SysError('EINVAL', syscall, 'string contains NUL');
  const encoded = pathToBytes(text);
  const memory = allocate(encoded.length + 1);
  memory.bytes.set(encoded);
  return memory;
}

let first: PathBuffer | undefined;
let second: PathBuffer | undefined;

/** `path` as the address of a C string in shared scratch memory, valid until the next `pathArgument`. */
export function pathArgument(path: string, syscall: string) {
  first ??= new PathBuffer();
  return first.put(path, syscall);
}

/** Like {@link pathArgument} with scratch memory of its own, for calls that take two paths. */
export function secondPathArgument(path: string, syscall: string) {
  second ??= new PathBuffer();
  return second.put(path, syscall);
}
