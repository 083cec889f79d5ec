/**
 * The one error class of the project and its closed list of codes.
 *
 * Throw where the cause is known, add context once per room border, let it fly. Each protocol edge
 * (HTTP, CLI exit code, gRPC) has one total table from `ErrorCode` to its own vocabulary.
 */
export const ERROR_CODES = [
  'invalid_argument',
  'not_found',
  'conflict',
  'not_modified',
  'unauthorized',
  'forbidden',
  'unavailable',
  'not_implemented',
  'canceled',
  'deadline_exceeded',
  'data_loss',
  'internal',
  'unknown',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export interface GantryErrorOptions {
  /** The underlying error. Logged, never sent to a client. */
  readonly cause?: unknown;
  /** Machine-readable facts for programs, safe to send to a client. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An error with exactly one {@link ErrorCode}. The message is safe to show to a user. */
export class GantryError extends Error {
  override readonly name = 'GantryError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, message: string, options: GantryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
  }
}

type Factory = (message: string, options?: GantryErrorOptions) => GantryError;
const factory =
  (code: ErrorCode): Factory =>
  (message, options) =>
    new GantryError(code, message, options);

export const invalidArgument = factory('invalid_argument');
export const notFound = factory('not_found');
export const conflict = factory('conflict');
export const notModified = factory('not_modified');
export const unauthorized = factory('unauthorized');
export const forbidden = factory('forbidden');
export const unavailable = factory('unavailable');
export const notImplemented = factory('not_implemented');
export const canceled = factory('canceled');
export const deadlineExceeded = factory('deadline_exceeded');
export const dataLoss = factory('data_loss');
export const internal = factory('internal');

/**
 * The error that made an operation fail. When its undoing fails as well, `await using` throws a SuppressedError without a
 * text around both. Any other value is its own origin.
 */
export function originOf(error: unknown): unknown {
  const isWrapped = error instanceof Error && error.name === 'SuppressedError' && 'suppressed' in error;
  return isWrapped ? originOf(error.suppressed) : error;
}

/** The code of any thrown value: `unknown` when it is not one of ours, `canceled` for an aborted signal. */
export function errorCode(thrown: unknown): ErrorCode {
  const error = originOf(thrown);
  if (error instanceof GantryError) return error.code;
  if (error instanceof Error && error.name === 'AbortError') return 'canceled';
  return 'unknown';
}

export const hasCode = (error: unknown, code: ErrorCode): boolean => errorCode(error) === code;
export const isNotFound = (error: unknown): boolean => hasCode(error, 'not_found');
export const isConflict = (error: unknown): boolean => hasCode(error, 'conflict');
export const isInvalidArgument = (error: unknown): boolean => hasCode(error, 'invalid_argument');

/** The message of any thrown value, for embedding into a wider one. */
export function errorMessage(thrown: unknown): string {
  const error = originOf(thrown);
  return error instanceof Error ? error.message : String(error);
}

/** The symbolic errno (`ENOENT`) of a Node or sys error, if it has one. */
export function errnoCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^E[A-Z0-9]+$/.test(error.code) ? error.code : undefined;
}
