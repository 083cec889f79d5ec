import { type ErrorCode, errorMessage, GantryError, parseSignal } from '#base';

/** Exit codes of the command line, as docker gives them. */
export const EXIT = {
  ok: 0,
  failure: 1,
  /** A template that cannot be parsed. */
  badTemplate: 64,
  usage: 125,
  cannotInvoke: 126,
  notFound: 127,
  brokenPipe: 141,
} as const;

interface CliErrorDetails {
  readonly exitCode?: number;
  /** Printed after the message and an empty line. */
  readonly hint?: string;
  /** Written before the message, such as `gantry: `. */
  readonly prefix?: string;
  /** The usage block of the command in question belongs below the message. */
  readonly wantsUsage?: boolean;
}

/** An error of the command line itself, with what belongs to its presentation. */
export function cliError(message: string, details: CliErrorDetails & { cause?: unknown } = {}): GantryError {
  const { cause, ...rest } = details;
  return new GantryError('invalid_argument', message, {
    details: { ...rest },
    ...(cause !== undefined && { cause }),
  });
}

/** A malformed flag: exit code 125 and the command's usage line. */
export const usageError = (message: string): GantryError =>
  cliError(message, { exitCode: EXIT.usage, wantsUsage: true });

/** What shells make of a signal that ended a command. @param signal such as `SIGINT` */
export const exitCodeOfSignal = (signal: string): number => 128 + parseSignal(signal);

/** Ends the command with `exitCode` and nothing printed. */
export const silentExit = (exitCode: number): GantryError => cliError('', { exitCode });

/** The user left a container or command that goes on, where nothing else could be the result. Text: docker CLI's. */
export const detachedByKeys = (): GantryError => cliError('read escape sequence');

/** Gives any error another presentation. Keeps code, message and cause. */
export function present(error: unknown, details: CliErrorDetails): GantryError {
  const base = error instanceof GantryError ? error : undefined;
  return new GantryError(base?.code ?? 'unknown', base?.message ?? errorMessage(error), {
    cause: error,
    details: { ...base?.details, ...details },
  });
}

export function presentationOf(error: unknown): CliErrorDetails {
  return error instanceof GantryError && error.details ? (error.details as CliErrorDetails) : {};
}

/** Total: every code means plain failure to a shell, unless the error brings its own exit code. */
const EXIT_BY_CODE = {
  invalid_argument: EXIT.failure,
  not_found: EXIT.failure,
  conflict: EXIT.failure,
  not_modified: EXIT.failure,
  unauthorized: EXIT.failure,
  forbidden: EXIT.failure,
  unavailable: EXIT.failure,
  not_implemented: EXIT.failure,
  canceled: 130,
  deadline_exceeded: EXIT.failure,
  data_loss: EXIT.failure,
  internal: EXIT.failure,
  unknown: EXIT.failure,
} as const satisfies Record<ErrorCode, number>;

/** The exit code for an error that reached the top. */
export function exitCodeOf(error: unknown): number {
  const { exitCode } = presentationOf(error);
  if (exitCode !== undefined) return exitCode;
  return error instanceof GantryError ? EXIT_BY_CODE[error.code] : EXIT.failure;
}
