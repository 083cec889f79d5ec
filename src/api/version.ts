/** An Engine API version by its minor number: 1.41 is 41. All versions have the major number 1. */
export type ApiVersion = number;

/** Newest version spoken; requests without a prefix get it. */
export const MAX_API_VERSION: ApiVersion = 56;
/** Oldest version spoken. */
export const MIN_API_VERSION: ApiVersion = 24;

/** `1.41` for 41. */
export function formatApiVersion(version: ApiVersion): string {
  return `1.${version}`;
}

/**
 * Parses `1.41` (a leading `v` is allowed) to 41. Any other major number sorts below or above all of ours, as docker
 * compares versions part by part. Undefined for anything that is not digits and dots.
 */
export function tryParseApiVersion(text: string): ApiVersion | undefined {
  const match = /^v?(\d+)(?:\.(\d+))?(?:\.\d+)*$/.exec(text);
  if (!match) return undefined;
  const major = Number(match[1]);
  const minor = Number(match[2] ?? 0);
  if (major === 1) return minor;
  return major < 1 ? -1 : Number.POSITIVE_INFINITY;
}

/** The newest version both sides speak: the client's own or the engine's, whichever is older. */
export function negotiateApiVersion(engine: ApiVersion, client: ApiVersion = MAX_API_VERSION): ApiVersion {
  return Math.min(engine, client);
}

/** Media types of raw, multiplexed and JSON line streams. */
export const STREAM_TYPE = {
  raw: 'application/vnd.docker.raw-stream',
  multiplexed: 'application/vnd.docker.multiplexed-stream',
  json: 'application/json',
  jsonLines: 'application/jsonl',
  ndjson: 'application/x-ndjson',
  jsonSequence: 'application/json-seq',
} as const;
