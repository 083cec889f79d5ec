import { expect, test } from 'bun:test';
import { createFailed, describeFailure, execFailed } from './errors.ts';

/** How docker's clients choose the exit code of `run` from the text (docker/cli, run command). */
function clientExitCode(text: string): number {
  if (/executable file not found|no such file or directory/.test(text)) return 127;
  return /permission denied|is a directory/.test(text) ? 126 : 125;
}

const runc = (message: string) => `time="2026-01-01T00:00:00Z" level=error msg=${JSON.stringify(message)}\n`;
const START = 'runc create failed: unable to start container process: ';

test.each([
  [
    'executable file `x` not found in $PATH: No such file or directory',
    'x',
    `${START}exec: "x": executable file not found in $PATH`,
    127,
  ],
  [
    'executable file `/x` not found in $PATH: No such file or directory',
    '/x',
    `${START}exec: "/x": stat /x: no such file or directory`,
    127,
  ],
  [
    'open executable: Permission denied',
    '/etc/passwd',
    `${START}exec: "/etc/passwd": permission denied`,
    126,
  ],
  ['open executable: Operation not permitted', '/etc', `${START}exec: "/etc": permission denied`, 126],
  [
    'chdir `/no`: No such file or directory',
    'sh',
    `${START}chdir to cwd ("/no") set in config.json failed: no such file or directory`,
    127,
  ],
  [
    'a warning\nmount `/a` to `etc/b`: Not a directory\n',
    'sh',
    `${START}mount \`/a\` to \`etc/b\`: not a directory`,
    127,
  ],
  [
    runc(
      'runc create failed: unable to start container process: exec: "x": executable file not found in $PATH',
    ),
    'x',
    `${START}exec: "x": executable file not found in $PATH`,
    127,
  ],
  [
    runc('runc create failed: unable to start container process: exec: "/etc": permission denied'),
    '/etc',
    `${START}exec: "/etc": permission denied`,
    126,
  ],
  [
    'write file `/proc/thread-self/attr/exec`: No such file or directory',
    'sh',
    `${START}error during container init: unable to apply apparmor profile: apparmor failed to apply profile: write /proc/self/attr/apparmor/exec: no such file or directory`,
    127,
  ],
  ['something odd', 'sh', `${START}something odd`, 128],
  ['', 'sh', `${START}the runtime gave no reason`, 128],
] as const)('describeFailure: %j', (stderr, command, text, exitCode) => {
  const failure = describeFailure(stderr, 'create', command);
  expect(failure).toEqual({ text, exitCode });
  const expected = exitCode === 128 || failure.text.includes('not a directory') ? 125 : exitCode;
  expect(clientExitCode(createFailed(failure).message)).toBe(expected);
});

test('describeFailure: exec has its own prefix and keeps quotes of the command', () => {
  const stderr = 'executable file `a"b` not found in $PATH: No such file or directory';
  const failure = describeFailure(stderr, 'exec', 'a"b');
  expect(execFailed(failure)).toMatchObject({
    code: 'invalid_argument',
    message: String.raw`OCI runtime exec failed: exec failed: unable to start container process: exec: "a\"b": executable file not found in $PATH: unknown`,
    details: { exitCode: 127 },
  });
});

test('createFailed: anything but the command is an internal error', () => {
  expect(createFailed({ text: 'x', exitCode: 128 })).toMatchObject({ code: 'internal' });
});

test('describeFailure: crun’s log file, and its attempt to run the root directory', () => {
  const log = (msg: string) => `${JSON.stringify({ msg, level: 'error', time: '2026-01-01T00:00:00Z' })}\n`;
  const missing = log('executable file `x` not found in $PATH: No such file or directory');
  const start = 'exec failed: unable to start container process: ';
  const text = `${start}exec: "x": executable file not found in $PATH`;
  expect(describeFailure(missing, 'exec', 'x')).toEqual({ text, exitCode: 127 });
  expect(describeFailure('open executable: Permission denied', 'exec', '').text).toBe(
    `${start}exec: "": executable file not found in $PATH`,
  );
});

test('execFailed: docker’s hint follows what is not a directory', () => {
  const failure = describeFailure('chdir `/etc/passwd`: Not a directory', 'exec', 'sh');
  expect(execFailed(failure).message).toEndWith(
    'failed: not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type',
  );
});
