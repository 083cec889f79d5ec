import { type Duplex, Readable } from 'node:stream';
import { constants, createGunzip, createZstdDecompress } from 'node:zlib';
import { GantryError, invalidArgument, notImplemented } from '#base';
import { ZstdFrameScanner } from '#store';

type Source = AsyncIterable<Uint8Array>;
type Compression = 'gzip' | 'zstd' | 'bzip2' | 'xz';

const OUTPUT_BYTES = 256 * 1024;
/** Largest zstd window accepted: 128 MiB, the default of the reference decoder. */
const ZSTD_WINDOW_LOG_MAX = 27;
const XZ_MEMORY = '256MiB';
/** Programs of the host, by absolute name: nothing of a container is ever run (CVE-2019-14271, CVE-2026-41567). */
const PROGRAM_DIRECTORIES = '/usr/bin:/bin';

const MAGICS: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];
const LONGEST_MAGIC = 6;

/**
 * The plain archive of what a client sent: as it is, or compressed with gzip or zstd (in this process), bzip2 or xz (by the
 * host's program, outside of any container). Source: Engine API, PUT archive.
 * @throws `invalid_argument` for broken or cut off data, `not_implemented` where the host lacks the program.
 */
export async function* decompress(source: Source): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  try {
    const start = await readStart(chunks);
    const compression = compressionOf(start);
    const whole = startingWith(start, chunks);
    if (compression === undefined) yield* whole;
    else if (compression === 'gzip' || compression === 'zstd') yield* inProcess(compression, whole);
    else yield* byProgram(compression, whole);
  } finally {
    await chunks.return?.();
  }
}

export function compressionOf(start: Uint8Array): Compression | undefined {
  return MAGICS.find(([, magic]) => magic.every((byte, index) => start[index] === byte))?.[0];
}

async function readStart(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  let start: Uint8Array = new Uint8Array(0);
  while (start.length < LONGEST_MAGIC) {
    const { done, value } = await chunks.next();
    if (done) break;
    start = start.length === 0 ? value : Buffer.concat([start, value]);
  }
  return start;
}

async function* startingWith(
  start: Uint8Array,
  chunks: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (start.length > 0) yield start;
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
}

async function* inProcess(compression: 'gzip' | 'zstd', source: Source): AsyncGenerator<Uint8Array> {
  const decoder: Duplex =
    compression === 'gzip'
      ? createGunzip({ chunkSize: OUTPUT_BYTES })
      : createZstdDecompress({
          chunkSize: OUTPUT_BYTES,
          params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX },
        });
  let failure: unknown;
  const frames = compression === 'zstd' ? new ZstdFrameScanner() : undefined;
  const input = Readable.from(frames ? scanned(source, frames) : source, { objectMode: false });
  input.on('error', (error) => {
    failure = error;
    decoder.destroy(error);
  });
  input.pipe(decoder);
  try {
    yield* decoder;
    // The decoder itself takes the end of a cut off stream for the end of the data.
    if (frames && !frames.isAtBoundary) throw new Error('unexpected end');
  } catch (error) {
    throw failure ?? brokenData(compression, error);
  } finally {
    input.destroy();
    decoder.destroy();
  }
}

async function* scanned(source: Source, frames: ZstdFrameScanner): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    frames.push(chunk);
    yield chunk;
  }
}

async function* byProgram(compression: 'bzip2' | 'xz', source: Source): AsyncGenerator<Uint8Array> {
  const program = Bun.which(compression, { PATH: PROGRAM_DIRECTORIES });
  if (!program) throw notImplemented(`cannot unpack ${compression}: the host has no ${compression} program`);
  const limits = compression === 'xz' ? [`--memlimit-decompress=${XZ_MEMORY}`] : [];
  const child = Bun.spawn([program, '-dc', ...limits], {
    cwd: '/',
    env: {},
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'ignore',
  });
  const feeding = feed(child.stdin, source);
  try {
    yield* child.stdout as unknown as AsyncIterable<Uint8Array>;
    await feeding;
    if ((await child.exited) !== 0) throw brokenData(compression, undefined);
  } finally {
    child.kill('SIGKILL');
    await child.exited;
    await feeding.catch(() => {});
  }
}

async function feed(stdin: Bun.FileSink, source: Source): Promise<void> {
  try {
    for await (const chunk of source) {
      stdin.write(chunk);
      await stdin.flush();
    }
  } finally {
    // A program that has given up closes its end: its exit code says so.
    await Promise.resolve(stdin.end()).catch(() => {});
  }
}

const brokenData = (compression: Compression, cause: unknown): unknown =>
  cause instanceof GantryError
    ? cause
    : invalidArgument(`invalid archive: broken ${compression} data`, { cause });
