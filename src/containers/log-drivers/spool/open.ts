import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { createId, errnoCode } from '#base';
import type { SpoolFile } from './files.ts';

/** How much of a file's beginning identifies it, in bytes. */
const FINGERPRINT_BYTES = 512;
const NEWLINE = 0x0a;

/** An open file of the spool, plain or compressed. It stays the same file whatever happens to its name. */
export interface OpenSpoolFile extends AsyncDisposable {
  /**
   * What the file is known by, also after rotation and compression: a digest of its first line's beginning, which
   * holds a time in nanoseconds. Undefined while that line is not written.
   */
  readonly fingerprint: string | undefined;
  /** Inode of the file on disk; kept from reuse only as long as this is open. */
  readonly inode: number;
  readonly isCompressed: boolean;
  /** Bytes of content, uncompressed. */
  size(): Promise<number>;
  /** A descriptor of the plain content. The caller closes it; afterwards nothing is to be disposed. */
  take(): Promise<FileHandle>;
}

/** Undefined when it is not there (any more). */
export async function openSpoolFile(
  file: Pick<SpoolFile, 'path' | 'isCompressed'>,
): Promise<OpenSpoolFile | undefined> {
  let handle: FileHandle;
  try {
    handle = await open(file.path, 'r');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { ino: inode } = await handle.stat();
    return file.isCompressed
      ? await compressedFile(handle, inode, file.path)
      : await plainFile(handle, inode);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function plainFile(handle: FileHandle, inode: number): Promise<OpenSpoolFile> {
  const block = Buffer.alloc(FINGERPRINT_BYTES);
  const { bytesRead } = await handle.read(block, 0, FINGERPRINT_BYTES, 0);
  return {
    fingerprint: fingerprintOf(block.subarray(0, bytesRead)),
    inode,
    isCompressed: false,
    size: async () => (await handle.stat()).size,
    take: async () => handle,
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

async function compressedFile(handle: FileHandle, inode: number, path: string): Promise<OpenSpoolFile> {
  return {
    fingerprint: fingerprintOf(await decompressedHead(handle)),
    inode,
    isCompressed: true,
    size: () => uncompressedSize(handle),
    take: async () => {
      try {
        return await decompress(handle, path);
      } finally {
        await handle.close();
      }
    },
    [Symbol.asyncDispose]: () => handle.close(),
  };
}

/** The identity of a file that begins with `head`; undefined while its first line is not complete. */
export function fingerprintOf(head: Buffer): string | undefined {
  const lineEnd = head.subarray(0, FINGERPRINT_BYTES).indexOf(NEWLINE);
  if (lineEnd < 0 && head.length < FINGERPRINT_BYTES) return undefined;
  const line = head.subarray(0, lineEnd < 0 ? FINGERPRINT_BYTES : lineEnd);
  return new Bun.CryptoHasher('sha256').update(line).digest('hex');
}

/** gzip ends with the size, modulo 2^32; no file of a spool comes near that. */
async function uncompressedSize(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  const trailer = Buffer.alloc(4);
  await handle.read(trailer, 0, 4, Math.max(0, size - 4));
  return trailer.readUInt32LE(0);
}

async function decompressedHead(handle: FileHandle): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of decompressedParts(handle)) {
    parts.push(part);
    size += part.length;
    if (size >= FINGERPRINT_BYTES) break;
  }
  return Buffer.concat(parts);
}

/** Plain content in a file that has no name and is gone with its descriptor. */
async function decompress(source: FileHandle, path: string): Promise<FileHandle> {
  const name = `${path}.${createId()}.tmp`;
  const target = await open(name, 'wx+', 0o600);
  try {
    await rm(name);
    let position = 0;
    for await (const part of decompressedParts(source)) {
      for (let done = 0; done < part.length; ) {
        const { bytesWritten } = await target.write(part, done, part.length - done, position + done);
        done += bytesWritten;
      }
      position += part.length;
    }
    return target;
  } catch (error) {
    await target.close();
    throw error;
  }
}

/** What can be decompressed: a damaged file ends where the damage begins. */
async function* decompressedParts(handle: FileHandle): AsyncGenerator<Buffer> {
  // By path, because a stream made from a handle would close it.
  const input = createReadStream(`/proc/self/fd/${handle.fd}`);
  const output = createGunzip();
  input.on('error', (error) => output.destroy(error));
  input.pipe(output);
  try {
    for await (const part of output) yield part as Buffer;
  } catch (error) {
    // Anything else has nothing to do with the content: no descriptors, a disk that does not answer.
    if (!isDamage(error)) throw error;
  } finally {
    input.destroy();
    output.destroy();
  }
}

/** An error of zlib's. */
const isDamage = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
