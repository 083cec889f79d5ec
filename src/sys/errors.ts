import { ERRNO, type ErrnoName, errnoName, errnoText } from './errno.ts';

/**
 * A failed kernel call. `code` is the errno name as in Node's errors, so that `errnoCode()` of `base` reads it.
 * The message is `mount: no such file or directory (target "/x")`.
 */
export class SysError extends Error {
  override readonly name = 'SysError';
  /** `ENOENT` and so on. */
  readonly code: string;
  /** The positive error number. */
  readonly errno: number;
  /** The call that failed. */
  readonly syscall: string;

  constructor(error: ErrnoName | number, syscall: string, detail?: string) {
    const errno = typeof error === 'number' ? error : ERRNO[error][0];
    super(`${syscall}: ${errnoText(errno)}${detail === undefined ? '' : ` (${detail})`}`);
    this.code = errnoName(errno);
    this.errno = errno;
    this.syscall = syscall;
  }
}

/** Runs `action`; undefined when it throws one of `codes`. Other errors fly on. */
export function ignoring<T>(codes: readonly string[], action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code;
    if (typeof code === 'string' && codes.includes(code)) return undefined;
    throw error;
  }
}
