import { closeSync, openSync } from 'node:fs';
import { errorMessage, type Logger } from '#base';
import type { Container } from '../model.ts';

/** As the monitor makes it. */
const LOG_MODE = 0o640;

/**
 * Makes the log of a run that has ended where it is missing: rotation had moved the old file away, and the monitor (or the
 * daemon) ended before there was a new one. What `inspect` names as the log is then always there.
 */
export function restoreMissingLog({ id, logPath }: Container, logger: Logger): void {
  if (logPath === '') return;
  try {
    closeSync(openSync(logPath, 'a', LOG_MODE));
  } catch (error) {
    logger.warn('the log of an ended container is missing', { container: id, error: errorMessage(error) });
  }
}
