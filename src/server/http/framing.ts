import type { OutputChunk } from '#containers';

const STREAM_BYTE = { stdout: 1, stderr: 2 } as const;
export const FRAME_HEADER_BYTES = 8;

/**
 * One frame of docker's multiplexed stream: stream number, three zeros, length (big endian, 32 bit), data.
 * Source: Engine API, "Attach to a container", stream format.
 */
export function encodeFrame({ stream, data }: OutputChunk): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEADER_BYTES + data.byteLength);
  frame.writeUInt32BE(STREAM_BYTE[stream] << 24, 0);
  frame.writeUInt32BE(data.byteLength, 4);
  frame.set(data, FRAME_HEADER_BYTES);
  return frame;
}

/** How output goes on the wire: as it is (with a terminal) or in frames. */
export function encoderFor(tty: boolean): (chunk: OutputChunk) => Uint8Array {
  return tty ? ({ data }) => data : encodeFrame;
}
