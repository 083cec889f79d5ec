import { beforeAll, describe, expect, test } from 'bun:test';
import { callApi } from '../../harness/api.ts';
import { givenHost } from '../../harness/daemon.ts';
import { uniqueName, useEngine } from '../../harness/fixture.ts';
import { allClients } from '../../harness/programs.ts';
import { openTerminal } from '../../harness/terminal.ts';
import { createExec, exitOf, inspectExec, startDetached } from './api.ts';

const engine = useEngine();
const name = uniqueName('exec-refusals');
const paused = uniqueName('exec-paused');
const [client] = allClients();
/** dockerd up to 20.10 gives 126 to a command that is not there, and other words to two errors. */
const isOlder = givenHost() !== undefined;

beforeAll(async () => {
  if (client === undefined) throw new Error('no client program on this machine');
  for (const container of [name, paused]) {
    await engine.must(client, ['run', '-d', '--name', container, '-w', '/etc', 'busybox', 'sleep', '100000']);
    engine.defer(() => engine.must(client, ['rm', '-f', container]));
  }
}, 60_000);

const FAILED = 'OCI runtime exec failed: exec failed: ';
const START = `${FAILED}unable to start container process: `;

describe.each(allClients())('$name exec', (program) => {
  test.each([
    [
      'no such command',
      ['nosuch'],
      127,
      `${START}exec: "nosuch": executable file not found in $PATH: unknown`,
    ],
    ['an empty command', [''], 127, `${START}exec: "": executable file not found in $PATH: unknown`],
    [
      'no such file',
      ['/bin/nosuch'],
      127,
      `${START}exec: "/bin/nosuch": stat /bin/nosuch: no such file or directory: unknown`,
    ],
    ['no program', ['/etc/passwd'], 126, `${START}exec: "/etc/passwd": permission denied: unknown`],
  ] as const)('%s, with and without a terminal', async (_, command, code, text) => {
    for (const flags of [[], ['-t']]) {
      const result = await engine.run(program, ['exec', ...flags, name, ...command]);
      expect(result).toEqual({ code: isOlder ? 126 : code, stdout: `${text}\r\n`, stderr: '' });
    }
    const detached = await engine.run(program, ['exec', '-d', name, ...command]);
    expect([detached.code, detached.stdout]).toEqual([1, '']);
    expect(detached.stderr).toContain(`Error response from daemon: ${text}`);
  });

  test.each([
    [
      'missing',
      '/nosuch',
      127,
      `${START}chdir to cwd ("/nosuch") set in config.json failed: no such file or directory: unknown`,
    ],
    ['relative', 'usr', 126, `${FAILED}Cwd must be an absolute path: unknown`],
    [
      'a file',
      '/etc/passwd',
      127,
      `${START}chdir to cwd ("/etc/passwd") set in config.json failed: not a directory: unknown: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type`,
    ],
  ])('-w: %s', async (_, directory, code, text) => {
    const result = await engine.run(program, ['exec', '-w', directory, name, 'pwd']);
    expect(result).toEqual({ code: isOlder ? 126 : code, stdout: `${text}\r\n`, stderr: '' });
  });

  test.each([
    ['4294967296', 'uids and gids must be in range 0-2147483647'],
    ['2147483648:1', 'uids and gids must be in range 0-2147483647'],
    ['ghost', 'unable to find user ghost: no matching entries in passwd file'],
    ['root:ghost', 'unable to find group ghost: no matching entries in group file'],
  ])('-u %s', async (user, text) => {
    const result = await engine.run(program, ['exec', '-u', user, name, 'id']);
    expect(result).toEqual({ code: 126, stdout: `${text}\r\n`, stderr: '' });
  });

  test.each([
    ['1234', 'uid=1234 gid=0(root) groups=0(root)'],
    ['1234:55', 'uid=1234 gid=55 groups=55'],
    [':55', 'uid=0(root) gid=55 groups=55'],
    ['daemon:www-data', 'uid=1(daemon) gid=33(www-data) groups=33(www-data)'],
  ])('-u %s: the identity', async (user, identity) => {
    expect(await engine.must(program, ['exec', '-u', user, name, 'id'])).toBe(identity);
  });

  test('a paused container', async () => {
    await engine.must(program, ['pause', paused]);
    const result = await engine.run(program, ['exec', paused, 'true']);
    expect(result.code).toBe(1);
    expect(result.stderr).toContain(`Container ${paused} is paused, unpause the container before exec`);
    await engine.must(program, ['unpause', paused]);
  });

  test('the detach keys leave the command running', async () => {
    const command = ['sh', '-c', 'echo ready; cat'];
    using terminal = openTerminal(
      program,
      ['exec', '-it', '--detach-keys', 'ctrl-x,y', name, ...command],
      engine.host,
    );
    await terminal.sees('ready');
    terminal.type('\x18y');
    expect(await terminal.exited).toBe(1);
    expect(terminal.screen()).toContain('read escape sequence');
  });
});

describe('the API', () => {
  test('an exec is started once, and inspected until after its end', async () => {
    if (client === undefined) return;
    const id = await createExec(engine.host, name, {
      Cmd: ['sh', '-c', 'while [ ! -e /tmp/may-end ]; do sleep 0.05; done; exit 3'],
      DetachKeys: 'ctrl-a',
    });
    expect(await inspectExec(engine.host, id)).toMatchObject({ Running: false, ExitCode: null, Pid: 0 });
    expect((await callApi(engine.host, 'GET', `/exec/${id}/json`)).json).toMatchObject({
      DetachKeys: 'AQ==',
    });
    expect((await startDetached(engine.host, id)).status).toBe(200);
    const again = await startDetached(engine.host, id);
    expect(again.status).toBe(409);
    expect(again.message.toLowerCase()).toContain(`exec command ${id} is already running`);
    await engine.must(client, ['exec', name, 'touch', '/tmp/may-end']);
    expect(await exitOf(engine.host, id)).toBe(3);
    const late = await startDetached(engine.host, id);
    expect([late.status, late.message.toLowerCase()]).toEqual([
      409,
      expect.stringContaining(`exec command ${id} has already run`),
    ]);
  });

  test('a prepared exec is gone with the run of its container, an ended one is not', async () => {
    if (client === undefined) return;
    const container = uniqueName('exec-run');
    await engine.must(client, ['run', '-d', '--name', container, 'busybox', 'sleep', '100000']);
    const [prepared, run] = [
      await createExec(engine.host, container, { Cmd: ['true'] }),
      await createExec(engine.host, container, { Cmd: ['sleep', '1000'] }),
    ];
    await startDetached(engine.host, run);
    await engine.must(client, ['kill', container]);
    await engine.must(client, ['wait', container]);
    expect(await exitOf(engine.host, run)).toBe(137);
    await engine.must(client, ['start', container]);
    const gone = await startDetached(engine.host, prepared);
    expect([gone.status, gone.message]).toEqual([404, `No such exec instance: ${prepared}`]);
    await engine.must(client, ['rm', '-f', container]);
    expect((await callApi(engine.host, 'GET', `/exec/${run}/json`)).status).toBe(404);
  });

  test.each([
    ['a terminal started without one is framed', true, false, '\u0001\0\0\0\0\0\0\u0004here'],
    ['no terminal started with one is raw', false, true, 'here'],
  ])('%s', async (_what, prepared, started, expected) => {
    const body = { Cmd: ['printf', 'here'], AttachStdout: true, Tty: prepared };
    const id = await createExec(engine.host, name, body);
    const { text } = await callApi(engine.host, 'POST', `/exec/${id}/start`, { body: { Tty: started } });
    expect(text).toBe(expected);
  });

  test('an exec that could not start keeps its code', async () => {
    const id = await createExec(engine.host, name, { Cmd: ['nosuch'] });
    expect((await startDetached(engine.host, id)).status).toBe(400);
    expect((await inspectExec(engine.host, id)).ExitCode).toBe(isOlder ? 126 : 127);
    expect((await startDetached(engine.host, id)).status).toBe(409);
  });
});
