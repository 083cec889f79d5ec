import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { errorMessage, invalidArgument, unavailable } from '#base';
import { ZstdFrameScanner } from '#store';

export type Compression = 'none' | 'gzip' | 'zstd' | 'bzip2' | 'xz';

const MAGIC: readonly (readonly [Compression, readonly number[]])[] = [
  ['gzip', [0x1f, 0x8b, 0x08]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
];
/** Skippable zstd frames (seekable and chunked archives begin with one) start with 0x184D2A50 to 0x184D2A5F. */
const isSkippableZstd = (head: Uint8Array): boolean =>
  ((head[0] ?? 0) & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;

/** Bytes needed to tell. */
export const MAGIC_BYTES = 6;

/** Tells a compression by the first {@link MAGIC_BYTES} bytes. */
export function detectCompression(head: Uint8Array): Compression {
  const found = MAGIC.find(([, magic]) => magic.every((byte, at) => head[at] === byte));
  return found?.[0] ?? (isSkippableZstd(head) ? 'zstd' : 'none');
}

/** How much more a stream may become than it was, so that a bomb ends early and does not fill the disk. */
export interface ExpansionLimit {
  /** Nothing is refused below this many bytes. Default 4 GiB. */
  readonly freeBytes?: number;
  /** Bytes out for each byte in, beyond `freeBytes`. Default 200. */
  readonly ratio?: number;
}

const DEFAULT_FREE_BYTES = 4 * 1024 ** 3;
const DEFAULT_RATIO = 200;
const CHUNK_BYTES = 256 * 1024;
const TOOL_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The stream, decompressed when it is compressed. gzip and zstd in this process; bzip2 and xz by the host's
 * tools, which never see a container's files.
 * @throws `invalid_argument` for broken data and bombs, `unavailable` when the host lacks the tool.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  limit: ExpansionLimit = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const input = new CountedInput(source);
  const kind = detectCompression(await input.peek(MAGIC_BYTES));
  if (kind === 'none') {
    yield* input.chunks();
    return;
  }
  const freeBytes = limit.freeBytes ?? DEFAULT_FREE_BYTES;
  const ratio = limit.ratio ?? DEFAULT_RATIO;
  let out = 0;
  for await (const chunk of inflate(kind, input)) {
    out += chunk.length;
    if (out > freeBytes && out > input.count * ratio) {
      throw invalidArgument(`${kind} data expands more than ${ratio} times: refused as a decompression bomb`);
    }
    yield chunk;
  }
}

async function* inflate(
  kind: Exclude<Compression, 'none'>,
  input: CountedInput,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (kind === 'bzip2' || kind === 'xz') {
    yield* inflateByTool(kind, input);
    return;
  }
  const inflater =
    kind === 'gzip'
      ? createGunzip({ chunkSize: CHUNK_BYTES })
      : createZstdDecompress({ chunkSize: CHUNK_BYTES });
  // The decoder takes data that is cut for the end; only the frames tell.
  const frames = kind === 'zstd' ? new ZstdFrameScanner() : undefined;
  const source = Readable.from(input.chunks(frames), { objectMode: false });
  source.once('error', (error) => inflater.destroy(error));
  try {
    yield* source.pipe(inflater) as AsyncIterable<Uint8Array>;
    if (frames?.isAtBoundary === false) throw new Error('it ends within a frame');
  } catch (error) {
    throw input.failure ?? invalidArgument(`broken ${kind} data: ${errorMessage(error)}`, { cause: error });
  } finally {
    source.destroy();
    inflater.destroy();
  }
}

async function* inflateByTool(
  tool: 'bzip2' | 'xz',
  input: CountedInput,
): AsyncGenerator<Uint8Array, void, undefined> {
  const path = Bun.which(tool, { PATH: TOOL_PATH });
  if (path === null) throw unavailable(`${tool} is not installed: cannot read ${tool} data`);
  const child = spawn(path, ['-dc'], { stdio: ['pipe', 'pipe', 'ignore'], env: {} });
  const ended = new Promise<Error | number | null>((resolve) => {
    child.once('error', resolve);
    child.once('close', resolve);
  });
  const source = Readable.from(input.chunks(), { objectMode: false });
  // A tool that stops reading shows in its exit code, not in the broken pipe.
  child.stdin.on('error', () => source.destroy());
  source.once('error', () => child.kill('SIGKILL'));
  source.pipe(child.stdin);
  try {
    yield* child.stdout as AsyncIterable<Uint8Array>;
    const end = await ended;
    if (input.failure !== undefined) throw input.failure;
    if (end !== 0) throw invalidArgument(`broken ${tool} data`);
  } finally {
    source.destroy();
    child.kill('SIGKILL');
    await ended;
  }
}

/** Chunks of a source that can be looked at before, counted, with the source's own error kept apart. */
class CountedInput {
  readonly #source: AsyncIterator<Uint8Array>;
  #head: Uint8Array = new Uint8Array();
  count = 0;
  failure: unknown;

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  async peek(length: number): Promise<Uint8Array> {
    while (this.#head.length < length) {
      const { done, value } = await this.#source.next();
      if (done) break;
      this.#head = this.#head.length === 0 ? value : Buffer.concat([this.#head, value]);
    }
    return this.#head;
  }

  /** `watch` sees each chunk before it is handed on. */
  async *chunks(watch?: { push(chunk: Uint8Array): void }): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      if (this.#head.length > 0) {
        this.count += this.#head.length;
        watch?.push(this.#head);
        yield this.#head;
      }
      for (let next = await this.#source.next(); !next.done; next = await this.#source.next()) {
        this.count += next.value.length;
        watch?.push(next.value);
        yield next.value;
      }
    } catch (error) {
      this.failure = error;
      throw error;
    } finally {
      await this.#source.return?.();
    }
  }
}
