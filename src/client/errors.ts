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

/** What Go's TLS says of a certificate, by the codes of this runtime. */
const CERTIFICATE_ERRORS: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate signed by unknown authority',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate signed by unknown authority',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate signed by unknown authority',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate signed by unknown authority',
  CERT_HAS_EXPIRED: 'certificate has expired or is not yet valid',
  CERT_NOT_YET_VALID: 'certificate has expired or is not yet valid',
};

/** Codes of TLS are no errnos. */
const errorCode = (cause: unknown): string | undefined =>
  cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;

/** The daemon could not prove to be the right one, or speaks no TLS. Texts: docker CLI's. */
export function tlsFailed(url: string, cause: unknown): GantryError {
  const code = errorCode(cause);
  const details = { endpoint: url };
  if (code === 'EPROTO' && errorMessage(cause).includes('WRONG_VERSION_NUMBER'))
    return unavailable('error during connect: http: server gave HTTP response to HTTPS client', {
      cause,
      details,
    });
  if (code === undefined || code === 'EPROTO' || code.startsWith('ECONN'))
    return unavailable(`error during connect: ${errorMessage(cause)}`, { cause, details });
  const why = CERTIFICATE_ERRORS[code] ?? errorMessage(cause);
  return unavailable(`error during connect: tls: failed to verify certificate: x509: ${why}`, {
    cause,
    details,
  });
}

/** The daemon ended the connection without a word once it had seen our certificate. Text: docker CLI's. */
export const tlsRefused = (cause: unknown): GantryError =>
  unavailable(
    `error during connect: the server probably has client authentication (--tlsverify) enabled; check your TLS client certification settings: ${refusal(cause)}`,
    { cause },
  );

function refusal(cause: unknown): string {
  const alert = /ALERT_([A-Z_]+)/.exec(cause === undefined ? '' : errorMessage(cause))?.[1];
  return alert === undefined ? 'EOF' : `remote error: tls: ${alert.toLowerCase().replaceAll('_', ' ')}`;
}

export const connectionLost = (url: string, cause?: unknown): GantryError =>
  unavailable(`error during connect: connection to ${url} closed unexpectedly`, { cause });

export const protocolError = (what: string): GantryError =>
  internal(`error during connect: malformed HTTP response: ${what}`);
