/** `State.Error` of a run whose end nobody could see. Its exit code is docker's for that, not the process's own. */
export const unknownExit = (reason: string): string => `exit status unknown: ${reason}`;

/** Marks such an end in its `die` event, beside docker's attributes. */
export const unknownExitAttributes = (reason: string | undefined): Readonly<Record<string, string>> =>
  reason === undefined ? {} : { 'gantry.exit.error': unknownExit(reason) };
