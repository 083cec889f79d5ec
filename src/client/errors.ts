import {
  ERROR_CODES,
  type ErrorCode,
  errnoCode,
  errorMessage,
  forbidden,
  GantryError,
  internal,
  unavailable,
} from '#base';

const CODE_BY_STATUS: Readonly<Record<number, ErrorCode>> = {
  304: 'not_modified',
  400: 'invalid_argument',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  499: 'canceled',
  500: 'internal',
  501: 'not_implemented',
  503: 'unavailable',
  504: 'deadline_exceeded',
};

/**
 * The error for an answer that is not a success. The daemon's own `code` decides where it sends one; a stock
 * daemon sends only a message, and the status decides. Text: docker CLI's prefix.
 */
export function engineError(status: number, body: string, route: string): GantryError {
  const { message, code } = parseErrorBody(body);
  const resolved = code ?? CODE_BY_STATUS[status] ?? (status >= 500 ? 'internal' : 'unknown');
  const text =
    message === ''
      ? `request returned status ${status} for ${route}, check if the server supports the requested API version`
      : message;
  return new GantryError(resolved, `Error response from daemon: ${text}`, {
    details: { status, message: text },
  });
}

function parseErrorBody(body: string): { message: string; code: ErrorCode | undefined } {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== 'object' || parsed === null) return { message: body.trim(), code: undefined };
    const { message, code } = parsed as { message?: unknown; code?: unknown };
    return {
      message: typeof message === 'string' ? message.trim() : '',
      code: ERROR_CODES.find((known) => known === code),
    };
  } catch {
    return { message: body.trim(), code: undefined };
  }
}

/** The daemon's own words of an error made by {@link engineError}, without the prefix. */
export function daemonMessage(error: unknown): string | undefined {
  if (!(error instanceof GantryError)) return undefined;
  const message = error.details?.['message'];
  return typeof message === 'string' ? message : undefined;
}

/** No connection to the daemon. Text: docker CLI's, with our name. */
export function connectionFailed(url: string, cause: unknown): GantryError {
  const errno = errnoCode(cause);
  if (errno === 'EACCES' || errno === 'EPERM') {
    return forbidden(`permission denied while trying to connect to the Gantry daemon socket at ${url}`, {
      cause,
      details: { endpoint: url },
    });
  }
  const why = errno === undefined || /^(ENOENT|ECONNREFUSED)$/.test(errno) ? '' : ` (${errorMessage(cause)})`;
  return unavailable(`Cannot connect to the Gantry daemon at ${url}. Is the gantry daemon running?${why}`, {
    cause,
    details: { endpoint: url },
  });
}

export const connectionLost = (url: string, cause?: unknown): GantryError =>
  unavailable(`error during connect: connection to ${url} closed unexpectedly`, { cause });

export const protocolError = (what: string): GantryError =>
  internal(`error during connect: malformed HTTP response: ${what}`);
