import { type ErrorCode, errnoCode, errorMessage, GantryError } from '#base';

/** Kernel errors that say something about the machine, not about the input. */
const MACHINE_ERRORS = new Set([
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EROFS',
  'ENOMEM',
  'EMFILE',
  'ENFILE',
  'EACCES',
  'EPERM',
]);

/** What aborted signals throw. */
const INTERRUPTIONS: Readonly<Record<string, ErrorCode>> = {
  AbortError: 'canceled',
  TimeoutError: 'deadline_exceeded',
};

/**
 * Turns any thrown value into a {@link GantryError} that says what was being done. Full disks and the like are
 * `unavailable`; ours pass unchanged.
 */
export function storeError(action: string, error: unknown): GantryError {
  if (error instanceof GantryError) return error;
  const name = error instanceof Error ? error.name : '';
  if (name in INTERRUPTIONS)
    return new GantryError(INTERRUPTIONS[name] ?? 'canceled', `${action}: ${errorMessage(error)}`, {
      cause: error,
    });
  const code = MACHINE_ERRORS.has(errnoCode(error) ?? '') ? 'unavailable' : 'internal';
  return new GantryError(code, `${action}: ${errorMessage(error)}`, { cause: error });
}
