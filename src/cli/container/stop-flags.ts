import { cliError } from '../core/errors.ts';
import { defineFlags, type FlagValues } from '../flags/spec.ts';

/** Flags of `stop` and `restart`. */
export const STOP_FLAGS = defineFlags({
  signal: { type: 'string', short: 's', summary: 'Signal that asks it to stop' },
  time: { type: 'int', summary: 'Seconds to wait before it is killed', hidden: true },
  timeout: { type: 'int', short: 't', summary: 'Seconds to wait before it is killed (-1 for ever)' },
});

/** What was given of them. @throws when the old and the new name of one flag are. */
export function stopOptions(flags: FlagValues<typeof STOP_FLAGS>, changed: ReadonlySet<string>) {
  if (changed.has('time') && changed.has('timeout'))
    throw cliError('conflicting options: cannot specify both --timeout and --time');
  return {
    ...(flags.signal !== '' && { signal: flags.signal }),
    ...(changed.has('time') && { timeoutS: flags.time }),
    ...(changed.has('timeout') && { timeoutS: flags.timeout }),
  };
}
