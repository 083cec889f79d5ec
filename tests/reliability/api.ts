/** Answers of the Engine API as bytes of HTTP, for requests that no client program would send. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface CallOptions {
  readonly body?: unknown;
  /** Sent as it is, instead of `body`. */
  readonly raw?: RequestInit['body'];
  readonly headers?: Readonly<Record<string, string>>;
}

/** The path of a `unix://` endpoint. */
export const socketPath = (host: string): string => host.replace(/^unix:\/\//, '');

/** One request to the engine at `host` (`unix://…`). Never throws for an error status. */
export async function call(
  host: string,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<Answer> {
  const json = options.body === undefined ? {} : { 'Content-Type': 'application/json' };
  const response = await fetch(`http://engine/v1.41${path}`, {
    unix: socketPath(host),
    method,
    headers: { ...json, ...options.headers },
    body: options.raw ?? (options.body === undefined ? null : JSON.stringify(options.body)),
  });
  return { status: response.status, text: await response.text() };
}

/** {@link call} whose answer has to be a success; returns its JSON. */
export async function callJson<T>(
  host: string,
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<T> {
  const { status, text } = await call(host, method, path, options);
  if (status >= 300) throw new Error(`${method} ${path}: ${status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
