import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, silentLogger, systemClock } from '#base';
import { createManualClock } from '#base/testing';
import { SpoolRotator } from '../spool/rotator.ts';
import type { LogMessage, LogSink, RetryPolicy } from '../types.ts';
import { Forwarder, type ForwarderOptions } from './forwarder.ts';
import { lossText } from './queue.ts';

const PATIENCE_MS = 10_000;
const TIME = '2026-01-02T03:04:05.000000005+00:00';

let directory: string;
let spoolPath: string;
let positionPath: string;
const open: AsyncDisposable[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-forward-'));
  spoolPath = join(directory, 'log');
  positionPath = join(directory, 'position');
  writeFileSync(spoolPath, '');
});
afterEach(async () => {
  for (const resource of open.splice(0)) await resource[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

async function until(what: string, holds: () => boolean): Promise<void> {
  for (const end = Date.now() + PATIENCE_MS; !holds(); await Bun.sleep(2)) {
    if (Date.now() > end) throw new Error(`gave up waiting: ${what}`);
  }
}

/** A sink that does as the test says. */
class ScriptedSink {
  readonly received: string[] = [];
  connects = 0;
  sends = 0;
  /** `takes` everything, `refuses` connections, `breaks` in the middle of a batch, `hangs` in send. */
  mood: 'takes' | 'refuses' | 'breaks' | 'hangs' = 'takes';
  maxPerSend = Number.POSITIVE_INFINITY;
  open = 0;

  readonly connect = async (): Promise<LogSink> => {
    this.connects += 1;
    if (this.mood === 'refuses') throw new Error('connection refused');
    this.open += 1;
    let isClosed = false;
    return {
      get isClosed() {
        return isClosed;
      },
      close: () => {
        if (!isClosed) this.open -= 1;
        isClosed = true;
      },
      send: (messages) => this.#send(messages),
    };
  };

  async #send(messages: readonly LogMessage[]): Promise<number> {
    this.sends += 1;
    if (this.mood === 'hangs') return await new Promise<never>(() => {});
    if (this.mood === 'breaks') throw new Error('broken pipe');
    const taken = messages.slice(0, this.maxPerSend);
    this.received.push(...taken.map(({ line }) => line.toString()));
    return taken.length;
  }
}

let sink: ScriptedSink;
beforeEach(() => {
  sink = new ScriptedSink();
});
const QUICK: RetryPolicy = { firstMs: 1, maxMs: 5 };
function forward(options: Partial<ForwarderOptions> = {}): Forwarder {
  const forwarder = new Forwarder({
    spoolPath,
    positionPath,
    sink: { connect: sink.connect, retry: QUICK, sendTimeoutMs: 30 },
    driver: 'scripted',
    maxLagBytes: undefined,
    maxSpoolBytes: 1024 ** 3,
    clock: systemClock,
    logger: silentLogger,
    ...options,
  });
  open.push(forwarder);
  return forwarder;
}
const rotator = (forwarder: Forwarder, compress = false, maxFiles = 2) => {
  const rotating = new SpoolRotator({
    path: spoolPath,
    maxFiles,
    compress,
    guard: () => forwarder,
    reopen: async () => writeFileSync(spoolPath, ''),
    logger: silentLogger,
  });
  open.push(rotating);
  return rotating;
};
let written = 0;
function write(count: number, flag = 'F'): string[] {
  const lines = Array.from({ length: count }, () => `message ${written++}`);
  appendFileSync(spoolPath, lines.map((line) => `${TIME} stdout ${flag} ${line}\n`).join(''));
  return lines;
}

test('delivers what is there and what comes, in order, and ends when the log is whole', async () => {
  const expected = write(3);
  const forwarder = forward();
  await until('first lines', () => sink.received.length === 3);
  expected.push(...write(500));
  await until('later lines', () => sink.received.length === 503);
  expected.push(...write(1));
  forwarder.complete();
  await forwarder.done;
  expect(sink.received).toEqual(expected);
  expect(sink.open).toBe(0);
});

test('a successor goes on where it was, with unfinished lines', async () => {
  write(2);
  write(1, 'P');
  const stderr = 'from stderr';
  appendFileSync(spoolPath, `${TIME} stderr F ${stderr}\n`);
  const first = forward();
  await until('first lines', () => sink.received.length === 3);
  await first[Symbol.asyncDispose]();
  const before = sink.received.splice(0);
  expect(before.at(-1)).toBe(stderr);
  const [end] = write(1);
  const second = forward();
  second.complete();
  await second.done;
  expect(sink.received).toEqual([`message ${written - 2}${end}`]);
});

test('a damaged position delivers anew rather than not at all', async () => {
  const expected = write(2);
  writeFileSync(positionPath, '{"version":1,');
  const forwarder = forward();
  forwarder.complete();
  await forwarder.done;
  expect(sink.received).toEqual(expected);
});

test('the end of an unfinished line comes with the end of the container', async () => {
  write(1, 'P');
  const forwarder = forward();
  forwarder.complete();
  await forwarder.done;
  expect(sink.received).toEqual([`message ${written - 1}`]);
});

test('damaged entries are passed over', async () => {
  appendFileSync(spoolPath, 'no entry\n\n');
  const expected = write(1);
  const forwarder = forward();
  forwarder.complete();
  await forwarder.done;
  expect(sink.received).toEqual(expected);
});

for (const mood of ['refuses', 'breaks', 'hangs'] as const) {
  test(`a sink that ${mood} gets everything once it is back, each line once`, async () => {
    sink.mood = mood;
    const expected = write(300);
    const forwarder = forward();
    await until('some attempts', () => sink.connects >= 3);
    expect(forwarder.status).toMatchObject({ lastError: expect.any(String) });
    expected.push(...write(300));
    sink.mood = 'takes';
    forwarder.complete();
    await forwarder.done;
    expect(sink.received).toEqual(expected);
    expect(forwarder.status).toMatchObject({ failures: 0, lastError: undefined });
  });
}

test('a sink that takes a few at a time gets all', async () => {
  sink.maxPerSend = 7;
  const expected = write(100);
  const forwarder = forward();
  forwarder.complete();
  await forwarder.done;
  expect(sink.received).toEqual(expected);
});

test('an outage is logged once, and its end', async () => {
  const lines: string[] = [];
  const logger = createLogger({ write: (line) => lines.push((JSON.parse(line) as { msg: string }).msg) });
  sink.mood = 'refuses';
  write(1);
  const forwarder = forward({ logger });
  await until('several attempts', () => sink.connects > 5);
  sink.mood = 'takes';
  forwarder.complete();
  await forwarder.done;
  expect(lines).toEqual(['log sink does not take messages', 'log sink is back']);
});

test('disposal does not wait for a stuck sink', async () => {
  sink.mood = 'hangs';
  write(1);
  const forwarder = forward({ sink: { connect: sink.connect, sendTimeoutMs: 3_600_000 } });
  await until('a send', () => sink.sends === 1);
  await forwarder[Symbol.asyncDispose]();
  expect([sink.received, sink.open]).toEqual([[], 0]);
});

/** A pause after a failed attempt that is over only when the test moves the clock. */
const PATIENT: RetryPolicy = { firstMs: 10_000 };

test('non-blocking: a backlog drops the oldest, keeps the newest, and one line says how many', async () => {
  const clock = createManualClock();
  sink.mood = 'refuses';
  const all = write(5_000);
  const forwarder = forward({ maxLagBytes: 4_000, clock, sink: { connect: sink.connect, retry: PATIENT } });
  await until('an attempt', () => forwarder.status.failures === 1);
  all.push(...write(5_000));
  await clock.advance(1_500);
  sink.mood = 'takes';
  forwarder.complete();
  await until('the last line', () => {
    void clock.advance(1_000);
    return sink.received.at(-1) === all.at(-1);
  });
  await forwarder.done;
  const [notice, ...kept] = sink.received;
  expect(notice).toBe(lossText(all.length - kept.length, false));
  expect(kept).toEqual(all.slice(-kept.length));
  expect(kept.length).toBeGreaterThan(20);
  expect(kept.length).toBeLessThan(400);
});

test('non-blocking: a restart counts what was dropped again, not twice', async () => {
  sink.mood = 'refuses';
  const all = write(2_000);
  const first = forward({ maxLagBytes: 1_000 });
  await until('attempts', () => sink.connects >= 2);
  await first[Symbol.asyncDispose]();
  sink.mood = 'takes';
  sink.maxPerSend = 1;
  const second = forward({ maxLagBytes: 1_000 });
  second.complete();
  await second.done;
  const [notice, ...kept] = sink.received;
  expect(notice).toBe(lossText(all.length - kept.length, false));
  expect(kept).toEqual(all.slice(-kept.length));
});

test('blocking: rotation keeps what is not delivered, and deletes it afterwards', async () => {
  sink.mood = 'refuses';
  const forwarder = forward();
  const rotating = rotator(forwarder, true);
  const all: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    all.push(...write(200));
    await rotating.rotate();
  }
  await rotating.settle();
  sink.mood = 'takes';
  await until('all lines', () => sink.received.length >= all.length);
  expect(sink.received).toEqual(all);
  const [last] = write(1);
  await until('the last line', () => sink.received.at(-1) === last);
  await rotating.rotate();
  await rotating.settle();
  expect([...new Bun.Glob('log*').scanSync({ cwd: directory })].length).toBeLessThanOrEqual(2);
});

test('blocking: beyond the cap the oldest file goes, and one line says how many were in it', async () => {
  sink.mood = 'refuses';
  const forwarder = forward({ maxSpoolBytes: 20_000 });
  const rotating = rotator(forwarder);
  const all: string[] = [];
  for (let round = 0; round < 12; round += 1) {
    all.push(...write(100));
    await rotating.rotate();
  }
  sink.mood = 'takes';
  forwarder.complete();
  await forwarder.done;
  const kept = sink.received.filter((line) => line.startsWith('message'));
  const lost = sink.received
    .map((line) => /^gantry: dropped (\d+) /.exec(line)?.[1])
    .reduce((sum, count) => sum + Number(count ?? 0), 0);
  expect(lost).toBeGreaterThan(0);
  expect(kept.length + lost).toBe(all.length);
  expect(kept.slice(-300)).toEqual(all.slice(-300));
});

test('a policy with an end gives messages up, counts them and goes on', async () => {
  sink.mood = 'breaks';
  const lost = write(10);
  const forwarder = forward({ sink: { connect: sink.connect, retry: { ...QUICK, maxAttempts: 2 } } });
  await until('messages given up', () => sink.sends >= 3);
  sink.mood = 'takes';
  const kept = write(2);
  forwarder.complete();
  await forwarder.done;
  expect(sink.received).toEqual([lossText(lost.length, false), ...kept]);
});

test('the position survives in its file, in a form that shows no output', async () => {
  const [line] = write(1);
  const forwarder = forward();
  forwarder.complete();
  await forwarder.done;
  const stored = readFileSync(positionPath, 'utf8');
  expect(JSON.parse(stored)).toMatchObject({ version: 1, offset: expect.any(Number), pending: {} });
  expect(stored).not.toContain(line ?? '');
});

test('without a spool there is nothing to do', async () => {
  rmSync(spoolPath);
  const forwarder = forward();
  forwarder.complete();
  await forwarder.done;
  expect([sink.connects, sink.received]).toEqual([0, []]);
});

test('what keeps the spool from being read is tried again; until then nothing of it may be deleted', async () => {
  const warnings: string[] = [];
  const logger = createLogger({ write: (line) => void warnings.push(line) });
  rmSync(spoolPath);
  symlinkSync(spoolPath, spoolPath);
  const forwarder = forward({ logger });
  let isDone = false;
  void forwarder.done.then(() => {
    isDone = true;
  });
  await until('the failure', () => forwarder.status.lastError?.includes('ELOOP') ?? false);
  rmSync(spoolPath);
  const expected = write(2);
  await until('the lines', () => sink.received.length === 2);
  expect(sink.received).toEqual(expected);
  expect(isDone).toBe(false);
  expect(forwarder.status).toMatchObject({ failures: 0, lastError: undefined });
  expect(warnings.filter((line) => line.includes('log forwarding failed'))).toHaveLength(1);
  forwarder.complete();
  await forwarder.done;
});

test('a place that cannot be read is no reason to deliver everything anew', async () => {
  const first = write(2);
  const before = forward();
  await until('the first lines', () => sink.received.length === 2);
  before.complete();
  await before.done;
  const place = readFileSync(positionPath);
  rmSync(positionPath);
  mkdirSync(positionPath);
  const forwarder = forward();
  await until('the failure', () => forwarder.status.lastError?.includes('EISDIR') ?? false);
  rmSync(positionPath, { recursive: true });
  writeFileSync(positionPath, place);
  const later = write(1);
  await until('the later line', () => sink.received.length > 2);
  expect(sink.received).toEqual([...first, ...later]);
});
