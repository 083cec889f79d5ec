import type { OutputChunk } from '#containers';

const STREAM_BYTE = { stdout: 1, stderr: 2 } as const;
export const FRAME_HEADER_BYTES = 8;

/**
 * One frame of docker's multiplexed stream: stream number, three zeros, length (big endian, 32 bit), data.
 * Source: Engine API, "Attach to a container", stream format.
 */
export function encodeFrame(chunk: OutputChunk): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + chunk.data.byteLength);
  putFrame(frame, 0, chunk);
  return frame;
}

/** Several chunks for one write, each in a frame of its own unless there is a terminal. */
export function encodeAll(chunks: readonly OutputChunk[], tty: boolean): Buffer {
  if (tty) return Buffer.concat(chunks.map(({ data }) => data));
  const size = chunks.reduce((sum, { data }) => sum + FRAME_HEADER_BYTES + data.byteLength, 0);
  const frames = Buffer.allocUnsafe(size);
  let offset = 0;
  for (const chunk of chunks) offset = putFrame(frames, offset, chunk);
  return frames;
}

/** Returns where the frame ends. */
function putFrame(target: Buffer, offset: number, { stream, data }: OutputChunk): number {
  target.writeUInt32BE(STREAM_BYTE[stream] << 24, offset);
  target.writeUInt32BE(data.byteLength, offset + 4);
  target.set(data, offset + FRAME_HEADER_BYTES);
  return offset + FRAME_HEADER_BYTES + data.byteLength;
}

/** How output goes on the wire: as it is (with a terminal) or in frames. */
export function encoderFor(tty: boolean): (chunk: OutputChunk) => Uint8Array {
  return tty ? ({ data }) => data : encodeFrame;
}
