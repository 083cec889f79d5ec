/** What a handler's surroundings know of a request, apart from any HTTP library. */
export interface ApiRequest {
  readonly method: string;
  /** Path without query, still percent-encoded. */
  readonly path: string;
  /** Query without `?`; empty for none. */
  readonly search: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The body as it arrives. Stopping early leaves the rest to the server. */
  readonly body: AsyncIterable<Uint8Array>;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

export function header(request: ApiRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : value?.[0];
}

/** Whether a body was announced, and of what length; -1 is unknown (chunked). */
export function contentLength(request: ApiRequest): number {
  const length = header(request, 'content-length');
  if (length !== undefined) return Number(length);
  return header(request, 'transfer-encoding') === undefined ? 0 : -1;
}
