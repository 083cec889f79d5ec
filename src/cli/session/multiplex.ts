import type { CliOutput } from '../core/context.ts';
import { cliError } from '../core/errors.ts';

const HEADER_BYTES = 8;
const STDERR = 2;
const SYSTEM_ERROR = 3;

interface Outputs {
  readonly stdout: CliOutput;
  readonly stderr: CliOutput;
}

/**
 * Takes apart docker's stream of frames (stream number, three zero bytes, big-endian length, payload) and writes each
 * payload to its output as it arrives, in order. Frames may be cut anywhere. Writing waits for a slow reader.
 */
export class Demultiplexer {
  readonly #outputs: Outputs;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  #payloadLeft = 0;
  #stream = 0;
  #systemError = '';

  constructor(outputs: Outputs) {
    this.#outputs = outputs;
  }

  /** @throws the daemon's message of a system error frame, `invalid_argument` for an unknown stream number. */
  async write(chunk: Uint8Array): Promise<void> {
    const batch = new Batch(this.#outputs);
    for (let rest = chunk; rest.length > 0; ) {
      rest = this.#payloadLeft > 0 ? await this.#payload(rest, batch) : this.#readHeader(rest);
    }
    await batch.flush();
  }

  #readHeader(chunk: Uint8Array): Uint8Array {
    const taken = Math.min(HEADER_BYTES - this.#headerBytes, chunk.length);
    this.#header.set(chunk.subarray(0, taken), this.#headerBytes);
    this.#headerBytes += taken;
    if (this.#headerBytes === HEADER_BYTES) {
      this.#headerBytes = 0;
      this.#stream = this.#header[0] ?? 0;
      this.#payloadLeft = new DataView(this.#header.buffer).getUint32(4);
      if (this.#stream > SYSTEM_ERROR) throw cliError(`unrecognized input header: ${this.#stream}`);
    }
    return chunk.subarray(taken);
  }

  async #payload(chunk: Uint8Array, batch: Batch): Promise<Uint8Array> {
    const piece = chunk.subarray(0, this.#payloadLeft);
    this.#payloadLeft -= piece.length;
    if (this.#stream === SYSTEM_ERROR) {
      this.#systemError += new TextDecoder().decode(piece);
      if (this.#payloadLeft === 0) throw cliError(`error from daemon in stream: ${this.#systemError}`);
    } else await batch.add(this.#stream === STDERR ? 'stderr' : 'stdout', piece);
    return chunk.subarray(piece.length);
  }
}

/** Joins neighbouring payloads of one stream, so that many small frames do not become many small writes. */
class Batch {
  readonly #outputs: Outputs;
  #target: keyof Outputs = 'stdout';
  #pieces: Uint8Array[] = [];

  constructor(outputs: Outputs) {
    this.#outputs = outputs;
  }

  async add(target: keyof Outputs, piece: Uint8Array): Promise<void> {
    if (target !== this.#target) await this.flush();
    this.#target = target;
    this.#pieces.push(piece);
  }

  async flush(): Promise<void> {
    const [only] = this.#pieces;
    if (!only) return;
    const data = this.#pieces.length === 1 ? only : Buffer.concat(this.#pieces);
    this.#pieces = [];
    await this.#outputs[this.#target].write(data);
  }
}
