import { expect, test } from 'bun:test';
import { createLayout } from '../layout.ts';
import { closesStdin, conmonEnvironment, containerArguments, EXEC_FDS, execArguments } from './arguments.ts';
import { parseSyncLine } from './sync-socket.ts';

const layout = createLayout('/run/x');
const container = {
  id: 'abc',
  runtimeName: 'crun',
  runtime: { path: '/usr/bin/crun', args: ['--debug'] },
  terminal: false,
  openStdin: false,
  stdinOnce: false,
  logPath: '/data/abc.log',
};

/** The value after `flag`, for each time it occurs. */
const values = (args: readonly string[], flag: string) =>
  args.flatMap((arg, index) => (arg === flag ? [args[index + 1]] : []));

test('containerArguments: names, places and the runtime with its own arguments', () => {
  const args = containerArguments(container, layout);
  expect(values(args, '--cid')).toEqual(['abc']);
  expect(values(args, '--runtime')).toEqual(['/usr/bin/crun']);
  expect(values(args, '--runtime-arg')).toEqual(['--debug', '--root=/run/x/state/crun']);
  expect(values(args, '--bundle')).toEqual(['/run/x/tasks/abc']);
  expect(values(args, '--container-pidfile')).toEqual(['/run/x/tasks/abc/pid']);
  expect(values(args, '--exit-dir')).toEqual(['/run/x/exits']);
  expect(values(args, '--persist-dir')).toEqual(['/run/x/tasks/abc']);
  expect(values(args, '--log-path')).toEqual(['k8s-file:/data/abc.log']);
  expect(values(args, '--api-version')).toEqual(['1']);
  expect(args).not.toContain('--terminal');
  expect(args).not.toContain('--stdin');
});

test('containerArguments: a colon in the log path goes behind a link, conmon would end the path there', () => {
  const args = containerArguments({ ...container, logPath: '/a:b/c.log' }, layout);
  expect(values(args, '--log-path')).toEqual(['k8s-file:logs/c.log']);
});

test('containerArguments: terminal, stdin and no log', () => {
  const args = containerArguments(
    { ...container, terminal: true, openStdin: true, stdinOnce: true, logPath: undefined },
    layout,
  );
  expect(args).toContain('--terminal');
  expect(args).toContain('--stdin');
  expect(args).toContain('--leave-stdin-open');
  expect(values(args, '--log-path')).toEqual(['none']);
});

test('closesStdin: only for stdinOnce without a terminal', () => {
  expect(closesStdin({ stdinOnce: true, terminal: false })).toBe(true);
  expect(closesStdin({ stdinOnce: true, terminal: true })).toBe(false);
  expect(containerArguments({ ...container, openStdin: true, stdinOnce: true }, layout)).not.toContain(
    '--leave-stdin-open',
  );
  expect(containerArguments({ ...container, openStdin: true }, layout)).toContain('--leave-stdin-open');
});

test('execArguments: a bundle of its own, attach on request', () => {
  const files = layout.task('abc').exec('e1');
  const args = execArguments({ terminal: true, openStdin: false, attach: true }, container, layout, files);
  expect(values(args, '--bundle')).toEqual(['/run/x/tasks/abc/execs/e1']);
  expect(values(args, '--exec-process-spec')).toEqual(['/run/x/tasks/abc/execs/e1/process.json']);
  expect(args).toContain('--exec-attach');
  expect(args).not.toContain('--exit-dir');
  const detached = execArguments(
    { terminal: false, openStdin: false, attach: false },
    container,
    layout,
    files,
  );
  expect(detached).not.toContain('--exec-attach');
});

test('conmonEnvironment: nothing of the daemon, log times in UTC', () => {
  expect(Object.keys(conmonEnvironment(1)).toSorted()).toEqual(['G_SLICE', 'PATH', 'TZ', '_OCI_SYNCPIPE']);
  expect(conmonEnvironment(EXEC_FDS)).toMatchObject({ TZ: 'UTC', _OCI_STARTPIPE: '4', _OCI_ATTACHPIPE: '5' });
});

test('parseSyncLine: PID, failure, and control bytes that conmon leaves raw', () => {
  expect(parseSyncLine('{"data": 4711}')).toEqual({ data: 4711 });
  expect(parseSyncLine('{"data": -1, "message": "a \\"b\\"\\n"}')).toEqual({ data: -1, message: 'a "b"\n' });
  expect(parseSyncLine('{"data": -1, "message": "x\u001fy"}')).toEqual({ data: -1, message: 'x\u001fy' });
});

test.each(['', 'nonsense', '{"pid": 1}', '{"data": "1"}', 'null'])('parseSyncLine: refuses %j', (line) => {
  expect(() => parseSyncLine(line)).toThrow('monitor');
});
