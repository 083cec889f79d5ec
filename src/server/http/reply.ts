import type { ClientStreams } from '#containers';

/** Where a stream reply writes. */
export interface Sink {
  /** Resolves when the client can take more. Writes to a client that is gone are dropped. */
  write(chunk: Uint8Array | string): Promise<void> | void;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

export type Headers = Readonly<Record<string, string>>;

/** What a handler answers. The server alone turns it into bytes. */
export type Reply =
  | {
      readonly kind: 'json';
      readonly status: number;
      readonly value: unknown;
      /** The value is a list of objects that never change: each is turned into text once. */
      readonly isStable?: boolean;
    }
  | { readonly kind: 'empty'; readonly status: number; readonly headers: Headers }
  | { readonly kind: 'text'; readonly status: number; readonly text: string; readonly headers: Headers }
  | StreamReply
  | HijackReply;

export interface StreamReply {
  readonly kind: 'stream';
  readonly headers: Headers;
  /** Send status and headers before the first byte of the body. Default true. */
  readonly flush: boolean;
  /** A failure before the first write becomes a status when `flush` is false, otherwise it ends the connection. */
  run(sink: Sink): Promise<void>;
}

export interface HijackReply {
  readonly kind: 'hijack';
  /** Output is raw (a terminal) instead of framed. */
  readonly tty: boolean;
  /** Value of `Upgrade` in the answer. Default: what the client asked for. */
  readonly protocol?: string;
  readonly contentType: string;
  /** Headers of the 101 instead of the usual ones, for a protocol with a handshake of its own. */
  readonly handshake?: Headers;
  /** A failure here is logged; the answer has begun. */
  run(connection: HijackedConnection): Promise<void>;
}

/** A connection that no longer speaks HTTP. */
export interface HijackedConnection {
  /** The two directions as the containers room wants them. `stdin` false: what the client sends is dropped. */
  streams(options: { readonly stdin: boolean }): ClientStreams;
}

export const json = (value: unknown, status = 200): Reply => ({ kind: 'json', status, value });
/** A list of objects that stay the same ones, and are never changed, as long as they would read the same. */
export const stableList = (value: readonly object[]): Reply => ({
  kind: 'json',
  status: 200,
  value,
  isStable: true,
});
export const created = (value: unknown): Reply => json(value, 201);
export const noContent = (): Reply => NO_CONTENT;
export const ok = (headers: Headers = {}): Reply => ({ kind: 'empty', status: 200, headers });
export const empty = (status: number): Reply => ({ kind: 'empty', status, headers: {} });

export function stream(
  contentType: string,
  run: StreamReply['run'],
  options: { readonly flush?: boolean; readonly headers?: Headers } = {},
): StreamReply {
  return {
    kind: 'stream',
    headers: { 'Content-Type': contentType, ...options.headers },
    flush: options.flush ?? true,
    run,
  };
}

const NO_CONTENT: Reply = { kind: 'empty', status: 204, headers: {} };
