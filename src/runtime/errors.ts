import { type GantryError, internal, invalidArgument } from '#base';

/** What went wrong while starting a process, as docker tells it, and the exit code docker gives the container. */
export interface StartFailure {
  readonly text: string;
  /** 127: command not found, 126: it cannot be run, 128: anything else (docker's State.ExitCode). */
  readonly exitCode: 126 | 127 | 128;
}

/** The runtime's words are followed by this, as the text of an unclassified error of the shim. */
const SUFFIX = ': unknown';

/**
 * A failed create. The clients look for `executable file not found`, `no such file or directory` (127),
 * `permission denied` (126) in the text (docker/cli, run command), so it is docker's letter by letter.
 */
export function createFailed(failure: StartFailure): GantryError {
  return failed(
    'failed to create task for container: failed to create shim task: OCI runtime create failed',
    failure,
  );
}

/** A failed exec, in docker's words. */
export function execFailed(failure: StartFailure): GantryError {
  return failed('OCI runtime exec failed', failure);
}

function failed(prefix: string, failure: StartFailure): GantryError {
  const message = `${prefix}: ${failure.text}${SUFFIX}${hint(failure.text)}`;
  const options = { details: { exitCode: failure.exitCode } };
  return failure.exitCode === 128 ? internal(message, options) : invalidArgument(message, options);
}

/**
 * Puts an OCI runtime's error output into runc's words, which are what docker's clients know.
 * `action` is `create` or `exec`, `command` the first argument of the process.
 */
export function describeFailure(stderr: string, action: 'create' | 'exec', command: string): StartFailure {
  const line = lastErrorLine(stderr);
  const prefix = action === 'create' ? 'runc create failed: ' : 'exec failed: ';
  const ours = stripPrefix(line);
  const start =
    commandFailure(ours, command) ?? `unable to start container process: ${lowerCaseReason(ours)}`;
  return { text: `${prefix}${start}`, exitCode: classify(start) };
}

/** Docker's own addition to the runtime's words. */
const hint = (text: string): string =>
  text.endsWith('not a directory')
    ? ': Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type'
    : '';

/** runc refuses it, crun takes it from the root. */
export const RELATIVE_DIRECTORY: StartFailure = {
  text: 'exec failed: Cwd must be an absolute path',
  exitCode: 126,
};

function classify(text: string): StartFailure['exitCode'] {
  if (/executable file not found|no such file or directory/.test(text)) return 127;
  if (/permission denied|is a directory/.test(text)) return 126;
  return /not a directory/.test(text) ? 127 : 128;
}

/** The message of the last error line: runc writes logfmt, crun plain text (JSON to a file), perhaps after warnings. */
function lastErrorLine(stderr: string): string {
  const lines = stderr.split('\n').map(lineMessage).filter(Boolean);
  return lines.at(-1) ?? 'the runtime gave no reason';
}

function lineMessage(line: string): string {
  return line.startsWith('{') ? jsonMessage(line) : logfmtMessage(line);
}

function jsonMessage(line: string): string {
  try {
    const { msg } = JSON.parse(line) as { readonly msg?: unknown };
    return typeof msg === 'string' ? msg : line;
  } catch {
    return line;
  }
}

function logfmtMessage(line: string): string {
  const quoted = /\bmsg=("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
  if (quoted === undefined) return line.trim();
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted.slice(1, -1);
  }
}

/** Drops what {@link describeFailure} puts in front itself, so that runc's texts pass unchanged. */
function stripPrefix(line: string): string {
  return line
    .replace(/^runc (create|exec|run) failed: /, '')
    .replace(/^exec failed: /, '')
    .replace(/^unable to start container process: /, '');
}

/** crun's ways to say that the command cannot be run. */
function commandFailure(text: string, command: string): string | undefined {
  const start = `unable to start container process: exec: ${JSON.stringify(command)}: `;
  const missing = /^executable file `(.*)` not found in \$PATH/.exec(text);
  // crun tries to run the root directory.
  if (command === '' && /^open executable: /.test(text)) return `${start}executable file not found in $PATH`;
  if (missing && command.includes('/')) return `${start}stat ${command}: no such file or directory`;
  if (missing) return `${start}executable file not found in $PATH`;
  if (/^open executable: (Permission denied|Operation not permitted|Is a directory)/.test(text))
    return `${start}permission denied`;
  // Only AppArmor knows its profiles by name: ENOENT is one that is not loaded.
  if (/^write file `.*\/attr\/(apparmor\/)?exec`: No such file or directory$/.test(text))
    return 'unable to start container process: error during container init: unable to apply apparmor profile: apparmor failed to apply profile: write /proc/self/attr/apparmor/exec: no such file or directory';
  const cwd = /^chdir `(.*)`: (.*)$/.exec(text);
  if (cwd)
    return `unable to start container process: chdir to cwd (${JSON.stringify(cwd[1])}) set in config.json failed: ${cwd[2]?.toLowerCase()}`;
  return undefined;
}

/** The C library begins its reasons with a capital letter, Go's do not. */
function lowerCaseReason(text: string): string {
  return text.replace(/: ([A-Z][a-z]+(?: [a-z]+)*)$/, (_, reason: string) => `: ${reason.toLowerCase()}`);
}
