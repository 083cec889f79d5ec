/** One answer of the Engine API. */
export interface ApiAnswer {
  readonly status: number;
  readonly text: string;
  /** The parsed body; undefined when it is no JSON. */
  readonly json: unknown;
  /** `message` of an error body. */
  readonly message: string;
}

/** Sends one plain request to the engine at `host` (`unix://…`) and reads the whole answer. */
export async function callApi(
  host: string,
  method: string,
  path: string,
  options: { readonly body?: unknown; readonly raw?: string; readonly contentType?: string } = {},
): Promise<ApiAnswer> {
  const body = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const response = await fetch(`http://engine${path}`, {
    method,
    unix: host.replace('unix://', ''),
    ...(body !== undefined && {
      body,
      headers: { 'Content-Type': options.contentType ?? 'application/json' },
    }),
  });
  const text = await response.text();
  const json = parse(text);
  const message = typeof json === 'object' && json !== null && 'message' in json ? String(json.message) : '';
  return { status: response.status, text, json, message };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
