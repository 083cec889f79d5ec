import { afterEach, beforeEach, expect, test } from 'bun:test';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import { LoggedContainer } from './container.ts';
import { cutLines, StreamServer } from './servers.ts';

const MB = 1024 * 1024;
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-robust-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const contents = (messages: readonly string[]) =>
  messages.map((message) => message.slice(message.indexOf(']: ') + 3));
const descriptors = () => readdirSync('/proc/self/fd').length;

test('a stuck sink does not hold up the others, and gets all in the end', async () => {
  using stuck = new StreamServer({ at: join(directory, 'stuck.sock'), cut: cutLines });
  stuck.isReading = false;
  using healthy = new StreamServer({ at: join(directory, 'healthy.sock'), cut: cutLines });
  await using slow = new LoggedContainer(directory, 'slow');
  await using quick = new LoggedContainer(directory, 'quick');
  const slowLines = slow.write(40_000, 200);
  await slow.start('syslog', { 'syslog-address': `unix://${directory}/stuck.sock` });
  await quick.start('syslog', { 'syslog-address': `unix://${directory}/healthy.sock` });
  await eventually('a connection to the stuck sink', () => slow.forwarders.status('c')?.isConnected);
  const quickLines = quick.write(20_000, 100);
  await quick.finish();
  await eventually('all of the quick one', () => healthy.received.length === quickLines.length);
  expect(contents(healthy.received)).toEqual(quickLines);
  expect(slow.forwarders.status('c')?.failures).toBe(0);
  stuck.resume();
  await slow.finish();
  await eventually('all of the slow one', () => stuck.received.length === slowLines.length);
  expect(contents(stuck.received)).toEqual(slowLines);
}, 60_000);

for (const [title, entry] of [
  ['lines of 80 bytes', ['F', 'x'.repeat(80)]],
  ['one line without an end', ['P', 'x'.repeat(8192)]],
  ['long lines', ['F', 'x'.repeat(8192)]],
] as const) {
  test(`64 MB of ${title} take no more memory than 8 MB`, async () => {
    const socket = join(directory, 's.sock');
    let receivedBytes = 0;
    using _server = new StreamServer({
      at: socket,
      cut: (data) => {
        receivedBytes += data.length;
        return { messages: [], size: data.length };
      },
    });
    const perMb = Math.ceil(MB / entry[1].length);
    for (const [name, megabytes] of [
      ['small', 8],
      ['large', 64],
    ] as const) {
      const container = new LoggedContainer(directory, name);
      for (let part = 0; part < megabytes; part += 1) container.writeEntries(new Array(perMb).fill(entry));
    }
    const program = join(import.meta.dir, 'fixtures/forward.ts');
    const child = Bun.spawn([process.execPath, program, directory, socket]);
    const grown = Number(await child.stdout.text());
    expect(await child.exited).toBe(0);
    expect(grown).toBeLessThan(32 * MB);
    await eventually('all bytes', () => receivedBytes > 72 * MB);
  }, 60_000);
}

test('a daemon that is replaced in the middle repeats little and leaves out nothing', async () => {
  using server = new StreamServer({ at: join(directory, 's.sock'), cut: cutLines });
  const config = { 'syslog-address': `unix://${directory}/s.sock` };
  await using container = new LoggedContainer(directory);
  const lines: string[] = [];
  for (let round = 1; round <= 5; round += 1) {
    lines.push(...container.write(2_000, 50));
    await container.start('syslog', config);
    await eventually('some progress', () => server.received.length >= round * 1_000);
    await container.restartDaemon();
  }
  await container.start('syslog', config);
  await container.finish();
  const last = lines.at(-1) ?? '';
  await eventually('the last line', () => contents(server.received.slice(-1))[0] === last);
  const received = contents(server.received);
  const unique = [...new Set(received)];
  expect(unique).toEqual(lines);
  // At most one batch for each replacement.
  expect(received.length - unique.length).toBeLessThanOrEqual(5 * 256);
}, 60_000);

test('rotation and compression under way do not disturb a blocking driver', async () => {
  using server = new StreamServer({ at: join(directory, 's.sock'), cut: cutLines });
  await using container = new LoggedContainer(directory);
  await using rotator = container.rotator(2);
  await container.start('syslog', { 'syslog-address': `unix://${directory}/s.sock` });
  const lines: string[] = [];
  for (let round = 0; round < 30; round += 1) {
    lines.push(...container.write(1_000, 80));
    await rotator.rotate();
  }
  await rotator.settle();
  lines.push(...container.write(1));
  await container.finish();
  await eventually('all lines', () => server.received.length >= lines.length);
  expect(contents(server.received)).toEqual(lines);
}, 60_000);

test('non-blocking: a stuck sink costs the oldest lines, whose number it learns', async () => {
  using server = new StreamServer({ at: join(directory, 's.sock'), cut: cutLines });
  server.isReading = false;
  await using container = new LoggedContainer(directory);
  await using rotator = container.rotator(3);
  await container.start('syslog', {
    'syslog-address': `unix://${directory}/s.sock`,
    mode: 'non-blocking',
    'max-buffer-size': '100k',
  });
  const lines: string[] = [];
  for (let round = 0; round < 10; round += 1) {
    lines.push(...container.write(5_000, 80));
    await rotator.rotate();
  }
  await rotator.settle();
  expect(
    readdirSync(dirname(container.spoolPath)).filter((name) => name.startsWith('log')).length,
  ).toBeLessThanOrEqual(4);
  lines.push(...container.write(10));
  server.resume();
  await container.finish();
  const last = lines.at(-1) ?? '';
  await eventually('the last line', () => contents(server.received.slice(-1))[0] === last);
  const received = contents(server.received);
  const kept = received.filter((line) => line.startsWith('line '));
  const dropped = received
    .map((line) => Number(/^gantry: dropped (\d+) log lines?: /.exec(line)?.[1] ?? 0))
    .reduce((sum, count) => sum + count, 0);
  expect(dropped).toBeGreaterThan(10_000);
  expect(new Set(kept).size + dropped).toBe(lines.length);
  expect(kept.slice(-500)).toEqual(lines.slice(-500));
}, 60_000);

test('sinks that come and go leave no descriptor behind', async () => {
  const path = join(directory, 's.sock');
  await using container = new LoggedContainer(directory);
  await container.start('fluentd', { 'fluentd-address': `unix://${path}`, 'fluentd-retry-wait': '1ms' });
  const before = descriptors();
  for (let round = 0; round < 20; round += 1) {
    const server = new StreamServer({ at: path, cut: (data) => ({ messages: ['x'], size: data.length }) });
    container.write(1);
    await eventually('a delivery', () => server.received.length > 0);
    server[Symbol.dispose]();
    rmSync(path, { force: true });
    await eventually('the end of the connection', () => !container.forwarders.status('c')?.isConnected);
  }
  await container.forwarders.stop('c');
  expect(descriptors()).toBeLessThanOrEqual(before + 2);
}, 60_000);
