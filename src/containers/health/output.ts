/** How much of a probe's output is kept, in bytes. */
const MAX_OUTPUT_BYTES = 4096;

/** A probe's output as it is kept: the first 4096 bytes, with `...` when there was more. */
export function limitOutput(output: string | Uint8Array): string {
  const bytes = typeof output === 'string' ? Buffer.from(output) : Buffer.from(output);
  if (bytes.length <= MAX_OUTPUT_BYTES) return bytes.toString('utf8');
  return `${bytes.toString('utf8', 0, MAX_OUTPUT_BYTES)}...`;
}
