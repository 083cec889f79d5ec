import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { createLogger } from '#base';
import type { AttachStream, Runtime } from '#runtime';
import { eventually } from '../../harness/eventually.ts';
import { SLOWNESS } from '../../harness/slowness.ts';
import { collect, run, Sandbox } from './harness.ts';

let sandbox: Sandbox;
let runtime: Runtime;
beforeAll(async () => {
  sandbox = new Sandbox();
  runtime = await sandbox.runtime();
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  expect(sandbox.leaks()).toEqual([]);
});

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');

/** Collects raw bytes of one stream. */
async function collectBytes(stream: AttachStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  stream.onOutput((_, chunk) => chunks.push(chunk));
  await stream.ended;
  return Buffer.concat(chunks);
}

test(
  'attach: binary input and output of 4 MB come back byte by byte',
  async () => {
    const data = randomBytes(4 << 20);
    const options = sandbox.options(['cat'], {}, { openStdin: true, stdinOnce: true, logPath: undefined });
    const task = await runtime.create(options);
    const stream = await task.attach();
    const output = collectBytes(stream);
    await task.start();
    for (let at = 0; at < data.length; at += 100_000) await stream.write(data.subarray(at, at + 100_000));
    stream.closeInput();
    expect((await task.exited).exitCode).toBe(0);
    const seen = await output;
    expect(seen.length).toBe(data.length);
    expect(sha256(seen)).toBe(sha256(data));
    await runtime.delete(options.id);
  },
  30_000 * SLOWNESS,
);

test(
  'attach: 16 MB to a client that is slow to start listening; ended comes after the last byte',
  async () => {
    const size = 16 << 20;
    const options = sandbox.options(
      ['sh', '-c', `yes 0123456789abcde | head -c ${size}`],
      {},
      { logPath: undefined },
    );
    const task = await runtime.create(options);
    const stream = await task.attach();
    await task.start();
    await task.exited;
    const output = await collectBytes(stream);
    expect(output.length).toBe(size);
    expect(sha256(output)).toBe(sha256(Buffer.from('0123456789abcde\n'.repeat(size / 16))));
    await runtime.delete(options.id);
  },
  30_000 * SLOWNESS,
);

test(
  '100 short runs, eight at a time, lose no byte and no exit code',
  async () => {
    const one = async (index: number) => {
      const result = await run(
        runtime,
        sandbox.options(['sh', '-c', `echo out ${index}; echo err ${index} >&2; exit ${index}`]),
      );
      return [result.stdout, result.stderr, result.exitCode];
    };
    const queue = Array.from({ length: 100 }, (_, index) => index);
    const results: unknown[][] = [];
    const worker = async () => {
      for (let index = queue.shift(); index !== undefined; index = queue.shift())
        results[index] = await one(index);
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    expect(results).toEqual(
      Array.from({ length: 100 }, (_, index) => [`out ${index}\n`, `err ${index}\n`, index]),
    );
  },
  60_000 * SLOWNESS,
);

test('log: long lines, binary and a missing newline are kept', async () => {
  const options = sandbox.options(['sh', '-c', 'head -c 20000 /dev/zero; echo; printf "a\\000b\\r\\377"']);
  await run(runtime, options);
  const raw = readFileSync(sandbox.logPath(options.id));
  const body = raw
    .toString('latin1')
    .split('\n')
    .filter(Boolean)
    .map((line) => /^\S+ stdout ([FP]) ([\s\S]*)$/.exec(line))
    .map((match) => `${match?.[2]}${match?.[1] === 'F' ? '\n' : ''}`)
    .join('');
  expect(body).toBe(`${'\0'.repeat(20_000)}\na\0b\r\xff`);
  expect(raw.toString('latin1')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}\+00:00 stdout P /);
});

test('log: a path with a colon, also after reopening', async () => {
  const directory = join(sandbox.directory, 'odd:place');
  mkdirSync(directory);
  const logPath = join(directory, 'x.log');
  const options = sandbox.options(
    ['sh', '-c', 'echo one; read line; echo two'],
    {},
    { logPath, openStdin: true },
  );
  const task = await runtime.create(options);
  const stream = await task.attach();
  const first = new Promise<void>((resolve) => stream.onOutput(() => resolve()));
  await task.start();
  await first;
  renameSync(logPath, `${logPath}.1`);
  await task.reopenLog();
  await stream.write(Buffer.from('\n'));
  await task.exited;
  expect(readFileSync(`${logPath}.1`, 'utf8')).toContain('stdout F one\n');
  expect(readFileSync(logPath, 'utf8')).toContain('stdout F two\n');
  await runtime.delete(options.id);
});

test('terminal: one stream with carriage returns, size at the start and after resize', async () => {
  const options = sandbox.options(
    ['sh', '-c', 'tty; stty size; trap "stty size; exit 5" WINCH; echo ready; while :; do sleep 0.02; done'],
    { terminal: true, consoleSize: { rows: 24, columns: 80 } },
    { openStdin: true, stdinOnce: true },
  );
  const task = await runtime.create(options);
  const stream = await task.attach();
  let text = '';
  const streams = new Set<string>();
  stream.onOutput((name, chunk) => {
    streams.add(name);
    text += Buffer.from(chunk);
    if (text.endsWith('ready\r\n')) void task.resize({ rows: 50, columns: 132 });
  });
  await task.start();
  expect((await task.exited).exitCode).toBe(5);
  expect(text).toBe('/dev/pts/0\r\n24 80\r\nready\r\n50 132\r\n');
  expect([...streams]).toEqual(['stdout']);
  await runtime.delete(options.id);
});

test('terminal: input, detach, and a later client goes on with the same shell', async () => {
  const options = sandbox.options(['sh'], { terminal: true }, { openStdin: true, stdinOnce: true });
  const task = await runtime.create(options);
  const first = await task.attach();
  const asked = Promise.withResolvers<void>();
  let text = '';
  first.onOutput((_, chunk) => {
    text += Buffer.from(chunk);
    if (text.includes('value-1')) asked.resolve();
  });
  await task.start();
  await first.write(Buffer.from('X=1; echo value-$X\n'));
  await asked.promise;
  first.close();
  const second = await task.attach();
  const output = collect(second);
  await second.write(Buffer.from('echo again-$X; exit 3\n'));
  expect((await task.exited).exitCode).toBe(3);
  expect((await output).stdout).toContain('again-1');
  await runtime.delete(options.id);
});

test('stdin: without stdinOnce it stays open after a client ended its input', async () => {
  const options = sandbox.options(['cat'], {}, { openStdin: true });
  const task = await runtime.create(options);
  const echo = async (text: string) => {
    const stream = await task.attach();
    const seen = new Promise<void>((resolve) => {
      stream.onOutput((_, chunk) => {
        if (Buffer.from(chunk).toString() === text) resolve();
      });
    });
    await stream.write(Buffer.from(text));
    stream.closeInput();
    await seen;
    stream.close();
  };
  await task.start();
  await echo('one\n');
  await echo('two\n');
  expect(await task.kill(9)).toBe(true);
  await task.exited;
  await runtime.delete(options.id);
});

test('stdinOnce: an output-only client that leaves does not close the input of the others', async () => {
  const options = sandbox.options(['cat'], {}, { openStdin: true, stdinOnce: true });
  const task = await runtime.create(options);
  const watcher = await task.attach();
  await task.start();
  watcher.close();
  const writer = await task.attach();
  const output = collect(writer);
  await writer.write(Buffer.from('still here\n'));
  writer.closeInput();
  expect((await task.exited).exitCode).toBe(0);
  expect((await output).stdout).toBe('still here\n');
  await runtime.delete(options.id);
});

test('attach: forty clients at once all get the output; one after the end has ended already', async () => {
  const options = sandbox.options(['echo', 'to all']);
  const task = await runtime.create(options);
  const outputs = (await Promise.all(Array.from({ length: 40 }, () => task.attach()))).map(collect);
  await task.start();
  await task.exited;
  for (const output of await Promise.all(outputs)) expect(output.stdout).toBe('to all\n');
  expect(await collect(await task.attach())).toEqual({ stdout: '', stderr: '' });
  await runtime.delete(options.id);
});

test('attach and drop, a thousand times, costs neither the monitor nor the daemon a descriptor', async () => {
  const script = 'while read line; do echo "$line"; done';
  const options = sandbox.options(['sh', '-c', script], {}, { openStdin: true });
  const task = await runtime.create(options);
  await task.start();
  const descriptors = (pid: number | 'self') => readdirSync(`/proc/${pid}/fd`).length;
  (await task.attach()).close();
  const before = { monitor: descriptors(task.monitorPid), self: descriptors('self') };
  for (let round = 0; round < 1000; round += 1) {
    const stream = await task.attach();
    // Now and then there is output, with and without somebody to read it.
    if (round % 100 === 0) {
      const echoed = new Promise<void>((resolve) => stream.onOutput(() => resolve()));
      await stream.write(Buffer.from('x\n'));
      await echoed;
    }
    if (round % 100 === 50) await stream.write(Buffer.from('y\n'));
    stream.close();
  }
  // The monitor notices the last connections' end in its own time.
  await eventually('the descriptors to go', () => {
    const grown = [descriptors(task.monitorPid) - before.monitor, descriptors('self') - before.self];
    return grown.every((count) => count <= 2) || Promise.reject(new Error(grown.join(' ')));
  });
  await runtime.delete(options.id);
});

test('exit is reported although output was never attached, and nothing is logged about it', async () => {
  const lines: string[] = [];
  await using other = new Sandbox();
  const quiet = await other.runtime({ logger: createLogger({ write: (line) => lines.push(line) }) });
  const options = other.options(['sh', '-c', 'head -c 300000 /dev/zero; exit 9']);
  const task = await quiet.create(options);
  await task.start();
  expect((await task.exited).exitCode).toBe(9);
  await quiet.delete(options.id);
  expect(lines).toEqual([]);
});
