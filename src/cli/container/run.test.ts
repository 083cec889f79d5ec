import { describe, expect, test } from 'bun:test';
import { GantryError, notFound } from '#base';
import type { HijackedStream } from '#client';
import { runForTest } from '../testing/index.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const frame = (stream: number, text: string): Uint8Array =>
  Buffer.concat([Uint8Array.from([stream, 0, 0, 0, 0, 0, 0, text.length]), bytes(text)]);

/** An attached process that writes `output`, and ends at once or when its input ends. */
function fakeStream(output: readonly Uint8Array[], log: string[], waitsForInput = false): HijackedStream {
  const queue = [...output];
  const { promise: inputEnded, resolve } = Promise.withResolvers<void>();
  return {
    contentType: '',
    async read() {
      const next = queue.shift();
      if (!next && waitsForInput) await inputEnded;
      return next;
    },
    write: async (data) => void log.push(`in:${Buffer.from(data)}`),
    closeWrite: async () => {
      log.push('closeWrite');
      resolve();
    },
    close: () => void log.push('close'),
  };
}

const containerCalls = (log: string[], stream: HijackedStream, statusCode = 0) => ({
  create: async () => {
    log.push('create');
    return { Id: 'c'.repeat(64), Warnings: ['careful'] };
  },
  attach: async () => {
    log.push('attach');
    return stream;
  },
  wait: async (_ref: string, condition?: string) => {
    log.push(`wait ${condition}`);
    return { exit: Promise.resolve({ StatusCode: statusCode }) };
  },
  start: async () => void log.push('start'),
  kill: async (_ref: string, signal?: string) => void log.push(`kill ${signal}`),
});

describe('run', () => {
  test('create, attach, wait, start; output apart; the exit code is ours', async () => {
    const log: string[] = [];
    const stream = fakeStream([Buffer.concat([frame(1, 'out'), frame(2, 'err')])], log);
    const containers = containerCalls(log, stream, 3);
    const run = await runForTest(['run', '--rm', 'busybox', 'x'], { calls: { containers } });
    expect(run).toEqual({ exitCode: 3, stdout: 'out', stderr: 'WARNING: careful\nerr' });
    expect(log).toEqual(['create', 'attach', 'wait removed', 'closeWrite', 'start']);
  });

  test('-i passes standard input on and half closes at its end', async () => {
    const log: string[] = [];
    const containers = containerCalls(log, fakeStream([], log, true));
    const run = await runForTest(['run', '-i', 'busybox', 'cat'], { stdin: 'data', calls: { containers } });
    expect(run.exitCode).toBe(0);
    expect(log.filter((line) => /^(in|closeWrite)/.test(line))).toEqual(['in:data', 'closeWrite']);
  });

  test('-it: the detach keys end the command, not the container', async () => {
    const log: string[] = [];
    const resize = async () => void log.push('resize');
    const containers = { ...containerCalls(log, fakeStream([bytes('$ ')], log, true), 9), resize };
    const options = { stdin: 'x\x10\x11y', terminal: true, calls: { containers } };
    expect((await runForTest(['run', '-it', 'busybox'], options)).exitCode).toBe(0);
    expect(log).toContain('in:x');
    expect(log).toContain('resize');
    expect(log).not.toContain('closeWrite');
  });

  test('-d prints the ID and does not attach', async () => {
    const log: string[] = [];
    const containers = containerCalls(log, fakeStream([], log));
    const run = await runForTest(['run', '-d', 'busybox'], { calls: { containers } });
    expect(run.stdout).toBe(`${'c'.repeat(64)}\n`);
    expect(log).toEqual(['create', 'start']);
  });

  test('-it without a terminal is refused', async () => {
    const stderr = 'the input device is not a TTY\n';
    expect(await runForTest(['run', '-it', 'busybox'])).toEqual({ exitCode: 1, stdout: '', stderr });
  });

  test('signals are passed on to the container', async () => {
    const log: string[] = [];
    const containers = containerCalls(log, fakeStream([], log, true));
    const signals = {
      on: (names: readonly string[], listener: (signal: string) => void) => {
        if (names.includes('SIGHUP')) listener('SIGTERM');
        return { [Symbol.dispose]: () => {} };
      },
    };
    await runForTest(['run', '-i', 'busybox'], { calls: { containers }, signals });
    expect(log).toContain('kill TERM');
    log.length = 0;
    const again = containerCalls(log, fakeStream([], log, true));
    await runForTest(['run', '-i', '--sig-proxy=false', 'busybox'], {
      calls: { containers: again },
      signals,
    });
    expect(log).not.toContain('kill TERM');
  });

  /** Delivers `names` one after the other, each in a turn of its own, to whoever passes signals on. */
  const deliver = (...names: string[]) => ({
    on: (wanted: readonly string[], listener: (signal: string) => void) => {
      let last: Promise<unknown> = Promise.resolve();
      if (wanted.includes('SIGHUP'))
        for (const name of names) last = last.then(() => Bun.sleep(1)).then(() => listener(name));
      return { [Symbol.dispose]: () => {} };
    },
  });
  /** Its removal is never reported. */
  const hanging = (log: string[]) => ({
    ...containerCalls(log, fakeStream([], log)),
    wait: async () => ({ exit: new Promise<never>(() => {}) }),
  });

  test('the second signal that cannot be passed on ends the command', async () => {
    const containers = {
      ...hanging([]),
      kill: () => Promise.reject(notFound('No such container')),
    };
    const signals = deliver('SIGTERM', 'SIGTERM');
    const run = await runForTest(['run', '--rm', 'busybox'], { calls: { containers }, signals });
    expect(run.exitCode).toBe(143);
  });

  test('the third signal ends the command, whatever the container does with them', async () => {
    const log: string[] = [];
    const signals = deliver('SIGINT', 'SIGTERM', 'SIGINT');
    const run = await runForTest(['run', '--rm', 'busybox'], {
      calls: { containers: hanging(log) },
      signals,
    });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toEndWith('\ngot 3 SIGTERM/SIGINTs, forcefully exiting\n');
    expect(log.filter((line) => line.startsWith('kill'))).toEqual(['kill INT', 'kill TERM', 'kill INT']);
  });
});

const daemonError = (message: string) =>
  new GantryError('invalid_argument', `Error response from daemon: ${message}`, {
    details: { status: 400, message },
  });

describe('run: a start that fails', () => {
  test.each([
    ['exec: "x": executable file not found in $PATH: unknown', 127],
    ['stat /x: no such file or directory: unknown', 127],
    ['exec: "/etc": permission denied: unknown', 126],
    ['exec: "/etc": is a directory: unknown', 126],
    ['something else', 125],
  ])('%s', async (message, exitCode) => {
    const log: string[] = [];
    const containers = {
      ...containerCalls(log, fakeStream([], log)),
      create: async () => ({ Id: 'c', Warnings: null }),
      start: () => Promise.reject(daemonError(message)),
    };
    const run = await runForTest(['run', 'busybox', 'x'], { calls: { containers } });
    const stderr = `gantry: Error response from daemon: ${message}\n\nRun 'gantry run --help' for more information\n`;
    expect(run).toEqual({ exitCode, stdout: '', stderr });
  });
});

describe('create: a missing image', () => {
  const missing = notFound('Error response from daemon: No such image: x:latest');

  test('is pulled once, with its progress on standard error', async () => {
    let creations = 0;
    const create = async () => {
      creations += 1;
      if (creations === 1) throw missing;
      return { Id: 'id', Warnings: [] };
    };
    const pull = async () =>
      (async function* () {
        yield { status: 'Pulling from library/x', id: 'latest' };
      })();
    const images = { inspect: () => Promise.reject(missing), pull };
    const run = await runForTest(['create', 'x'], { calls: { containers: { create }, images } });
    const stderr = "Unable to find image 'x:latest' locally\nlatest: Pulling from library/x\n";
    expect(run).toEqual({ exitCode: 0, stdout: 'id\n', stderr });
  });

  test('is an error with --pull never', async () => {
    const create = () => Promise.reject(missing);
    const run = await runForTest(['create', '--pull', 'never', 'x'], { calls: { containers: { create } } });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toStartWith('Error response from daemon: No such image: x:latest\n');
  });

  test('another 404 is not taken for one', async () => {
    const create = () => Promise.reject(notFound('Error response from daemon: network n not found'));
    const calls = { containers: { create }, images: { inspect: async () => ({}) } };
    expect((await runForTest(['create', 'x'], { calls })).stderr).toContain('network n not found');
  });
});

test('create: an error of the engine is plain, one of the flags is as in run', async () => {
  const create = () => Promise.reject(new GantryError('conflict', 'Error response from daemon: in use'));
  const refused = await runForTest(['create', '--name', 'x', 'busybox'], {
    calls: { containers: { create } },
  });
  expect(refused).toEqual({ exitCode: 1, stdout: '', stderr: 'Error response from daemon: in use\n' });
  const flags = await runForTest(['create', '--pull', 'maybe', 'busybox']);
  expect([flags.exitCode, flags.stderr]).toEqual([
    125,
    expect.stringMatching(/^gantry: invalid pull option/),
  ]);
});
