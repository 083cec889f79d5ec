import { closeSync, createReadStream, openSync, readSync } from 'node:fs';
import { pipeline, type Transform } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { errnoCode, invalidArgument } from '#base';
import { isZstdMagic, ZstdFrameScanner } from './zstd-frames.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

const READ_BYTES = 1024 * 1024;
const OUTPUT_BYTES = 256 * 1024;
/** Largest zstd window accepted: 128 MiB, the default of the reference decoder. */
const ZSTD_WINDOW_LOG_MAX = 27;

/** Finds the compression of a file by its first bytes. Anything unknown is taken for a plain tar. */
export function detectCompression(start: Uint8Array): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return 'gzip';
  if (start.length < 4) return 'none';
  const magic = new DataView(start.buffer, start.byteOffset).getUint32(0, true);
  return isZstdMagic(magic) ? 'zstd' : 'none';
}

/** Reads the start of a file and names its compression. */
export function compressionOf(path: string): Compression {
  const fd = openSync(path, 'r');
  try {
    const start = new Uint8Array(4);
    return detectCompression(start.subarray(0, readSync(fd, start, 0, start.length, 0)));
  } finally {
    closeSync(fd);
  }
}

/**
 * Reads a file and hands its uncompressed content to `take`, piece by piece; memory is bounded. A piece is only valid
 * during the call. @throws `invalid_argument` for broken compressed data, and whatever `take` throws.
 */
export async function decompressFile(path: string, take: (chunk: Uint8Array) => void): Promise<void> {
  const compression = compressionOf(path);
  if (compression === 'none') readPlain(path, take);
  else await readCompressed(path, compression, take);
}

/** Synchronous and with one buffer: nothing is faster for a Worker that has nothing else to do. */
function readPlain(path: string, take: (chunk: Uint8Array) => void): void {
  const fd = openSync(path, 'r');
  try {
    const buffer = new Uint8Array(READ_BYTES);
    for (let length = readSync(fd, buffer); length > 0; length = readSync(fd, buffer))
      take(buffer.subarray(0, length));
  } finally {
    closeSync(fd);
  }
}

async function readCompressed(
  path: string,
  compression: Exclude<Compression, 'none'>,
  take: (chunk: Uint8Array) => void,
): Promise<void> {
  const source = createReadStream(path, { highWaterMark: OUTPUT_BYTES });
  const decoder = compression === 'gzip' ? gunzip() : unzstd();
  const frames = compression === 'zstd' ? new ZstdFrameScanner() : undefined;
  if (frames) source.on('data', (chunk) => frames.push(chunk as Buffer));
  pipeline(source, decoder, () => {});
  const chunks = decoder[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        throw asBrokenData(compression, error);
      });
      if (next.done) break;
      take(next.value as Uint8Array);
    }
    // The decoder itself takes the end of a cut file for the end of the data.
    if (frames && !frames.isAtBoundary) throw asBrokenData(compression, new Error('unexpected end'));
  } finally {
    source.destroy();
    decoder.destroy();
  }
}

const gunzip = (): Transform => createGunzip({ chunkSize: OUTPUT_BYTES });
const unzstd = (): Transform =>
  createZstdDecompress({
    chunkSize: OUTPUT_BYTES,
    params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
  });

function asBrokenData(compression: Compression, error: unknown): unknown {
  // Reading errors carry an errno; what is left is the decoder's verdict.
  if (errnoCode(error) !== undefined) return error;
  return invalidArgument(`invalid layer: broken ${compression} data`, { cause: error });
}
