import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../harness/eventually.ts';
import { LoggedContainer } from './container.ts';
import { MsgpackReader } from './msgpack-reader.ts';
import {
  cutCounted,
  cutLines,
  StreamServer,
  type StreamServerOptions,
  UnixDatagramServer,
  udpServer,
} from './servers.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'gantry-sinks-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const FULL_ID = 'c0ffee'.padEnd(64, '0');
const contents = (messages: readonly string[]) =>
  messages.map((message) => message.slice(message.indexOf(': ') + 2));

describe('syslog', () => {
  test('unixgram: one datagram a message, empty lines are left out', async () => {
    const path = join(directory, 'log.sock');
    using server = new UnixDatagramServer(path);
    await using container = new LoggedContainer(directory);
    container.writeEntries([
      ['F', ''],
      ['F', 'one'],
      ['F', ''],
      ['F', 'two', 'stderr'],
      ['F', ''],
    ]);
    await container.start('syslog', { 'syslog-address': `unixgram://${path}`, tag: '{{.Name}}' });
    await container.finish();
    await eventually('two datagrams', () => server.received.length === 2);
    expect(server.received).toEqual([
      expect.stringMatching(/^<30>Jan {2}2 \d\d:04:05 web\[4711\]: one\n$/),
      expect.stringMatching(/^<27>Jan {2}2 \d\d:04:05 web\[4711\]: two\n$/),
    ]);
  });

  test('no address: the machine’s own socket, whichever there is', async () => {
    const path = join(directory, 'devlog');
    using server = new UnixDatagramServer(path);
    await using container = new LoggedContainer(directory, 'c', {
      syslogSockets: [join(directory, 'missing'), path],
    });
    const lines = container.write(3);
    await container.start('syslog', { 'syslog-facility': 'local7' });
    await container.finish();
    await eventually('three datagrams', () => server.received.length === 3);
    expect(server.received[0]).toStartWith('<190>');
    expect(contents(server.received).map((line) => line.trimEnd())).toEqual(
      lines.map((line) => line.trimEnd()),
    );
  });

  test('a local daemon that listens for streams only', async () => {
    const path = join(directory, 'devlog');
    using server = new StreamServer({ at: path, cut: cutLines });
    await using container = new LoggedContainer(directory, 'c', { syslogSockets: [path] });
    const lines = container.write(3);
    await container.start('syslog', {});
    await container.finish();
    await eventually('three messages', () => server.received.length === 3);
    expect(contents(server.received)).toEqual(lines);
  });

  test('unixgram: a daemon that hangs and comes back gets every line once', async () => {
    const path = join(directory, 'log.sock');
    using server = new UnixDatagramServer(path);
    server.isReading = false;
    await using container = new LoggedContainer(directory);
    const lines = container.write(300);
    await container.start('syslog', { 'syslog-address': `unixgram://${path}` });
    await eventually('a connection', () => container.forwarders.status('c')?.isConnected);
    server.isReading = true;
    await container.finish();
    await eventually('all lines', () => server.received.length >= 300);
    expect(contents(server.received).map((line) => line.trimEnd())).toEqual(
      lines.map((line) => line.trimEnd()),
    );
  });

  test('udp: rfc5424micro', async () => {
    using server = await udpServer();
    await using container = new LoggedContainer(directory);
    container.writeEntries([['F', 'hello']]);
    await container.start('syslog', {
      'syslog-address': `udp://127.0.0.1:${server.port}`,
      'syslog-format': 'rfc5424micro',
    });
    await container.finish();
    await eventually('a datagram', () => server.received.length === 1);
    expect(server.received[0]).toMatch(
      /^<30>1 2026-01-0\dT\d\d:\d4:05\.123456(Z|[+-]\d\d:\d\d) testhost c0ffee000000 4711 c0ffee000000 - hello\n$/,
    );
  });

  test('udp: while nobody listens the messages wait', async () => {
    const before = await udpServer();
    const { port } = before;
    before[Symbol.dispose]();
    const received: string[] = [];
    await using container = new LoggedContainer(directory);
    const lines = container.write(200);
    await container.start('syslog', { 'syslog-address': `udp://localhost:${port}` });
    await eventually('failures', () => (container.forwarders.status('c')?.failures ?? 0) > 1);
    const after = await Bun.udpSocket({
      hostname: '127.0.0.1',
      port,
      socket: { data: (_, data) => void received.push(String(data)) },
    });
    await container.finish();
    await eventually(
      'the last line',
      () => contents(received.slice(-1))[0]?.trimEnd() === lines.at(-1)?.trimEnd(),
    );
    after.close();
    expect(received).toHaveLength(lines.length);
  });

  test('tcp: a server that dies and returns misses nothing that it had not got', async () => {
    const first = new StreamServer({ at: 0, cut: cutLines });
    const { port } = first;
    await using container = new LoggedContainer(directory);
    const lines = container.write(50);
    await container.start('syslog', {
      'syslog-address': `tcp://127.0.0.1:${port}`,
      'syslog-format': 'rfc3164',
    });
    await eventually('the first lines', () => first.received.length === 50);
    first[Symbol.dispose]();
    await eventually('the end of the connection', () => !container.forwarders.status('c')?.isConnected);
    lines.push(...container.write(50));
    await eventually('attempts', () => (container.forwarders.status('c')?.failures ?? 0) > 0);
    using second = new StreamServer({ at: port, cut: cutLines });
    await container.finish();
    await eventually('the other lines', () => second.received.length === 50);
    expect(contents([...first.received, ...second.received])).toEqual(lines);
    expect(second.received[0]).toMatch(/ testhost c0ffee000000\[4711\]: /);
  });

  test('tcp+tls: certificates are checked, lengths are counted', async () => {
    const cert = makeCertificate(directory);
    using server = new StreamServer({ at: 0, cut: cutCounted, tls: cert });
    const address = { 'syslog-address': `tcp+tls://localhost:${server.port}`, 'syslog-format': 'rfc5424' };
    await using trusting = new LoggedContainer(directory, 'trusting');
    trusting.writeEntries([['F', 'trusted']]);
    await trusting.start('syslog', { ...address, 'syslog-tls-ca-cert': cert.certPath });
    await trusting.finish();
    await eventually('a message', () => server.received.length === 1);
    await using blind = new LoggedContainer(directory, 'blind');
    blind.writeEntries([['F', 'unchecked']]);
    await blind.start('syslog', { ...address, 'syslog-tls-skip-verify': '' });
    await blind.finish();
    await eventually('another message', () => server.received.length === 2);
    await using doubting = new LoggedContainer(directory, 'doubting');
    doubting.writeEntries([['F', 'not for you']]);
    await doubting.start('syslog', address);
    await eventually('a refusal', () => (doubting.forwarders.status('c')?.failures ?? 0) > 0);
    await doubting.forwarders.stop('c');
    expect(server.received.map((message) => message.split(' - ')[1])).toEqual(['trusted\n', 'unchecked\n']);
  });
});

/** A certificate for localhost that only its own holder trusts. */
function makeCertificate(directory: string): { cert: string; key: string; certPath: string } {
  const [certPath, keyPath] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const made = Bun.spawnSync([
    ...['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-days', '2', '-keyout', keyPath, '-out', certPath, ...names],
  ]);
  if (made.exitCode !== 0) throw new Error(made.stderr.toString());
  return { cert: readFileSync(certPath, 'utf8'), key: readFileSync(keyPath, 'utf8'), certPath };
}

describe('journald', () => {
  const fieldsOf = (datagram: string) =>
    Object.fromEntries(
      datagram.split('\n').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
    );

  test('one datagram a message with docker’s fields', async () => {
    const path = join(directory, 'journal');
    using server = new UnixDatagramServer(path);
    await using container = new LoggedContainer(directory, 'c', { journalSocket: path });
    container.writeEntries([
      ['F', 'hello'],
      ['P', 'x'.repeat(8192)],
      ['P', 'x'.repeat(8192)],
      ['F', 'end', 'stdout'],
      ['F', 'oops', 'stderr'],
    ]);
    await container.start('journald', { labels: 'team', env: 'STAGE', tag: '{{.ImageName}}/{{.Name}}' });
    await container.finish();
    await eventually('four entries', () => server.received.length === 4);
    const [hello, piece, end, oops] = server.received.map(fieldsOf);
    expect(hello).toMatchObject({
      MESSAGE: 'hello',
      PRIORITY: '6',
      CONTAINER_ID: 'c0ffee000000',
      CONTAINER_ID_FULL: FULL_ID,
      CONTAINER_NAME: 'web',
      CONTAINER_TAG: 'busybox/web',
      SYSLOG_IDENTIFIER: 'busybox/web',
      IMAGE_NAME: 'busybox',
      SYSLOG_TIMESTAMP: '2026-01-02T03:04:05.123456789Z',
      CONTAINER_LOG_ORDINAL: '1',
      TEAM: 'a',
      STAGE: 'test',
    });
    expect(hello?.['CONTAINER_PARTIAL_MESSAGE']).toBeUndefined();
    expect(piece).toMatchObject({ CONTAINER_PARTIAL_MESSAGE: 'true', CONTAINER_PARTIAL_ORDINAL: '1' });
    expect(piece?.['MESSAGE']).toHaveLength(16_384);
    expect(end).toMatchObject({ MESSAGE: 'end', CONTAINER_PARTIAL_LAST: 'true' });
    expect(end?.['CONTAINER_PARTIAL_ID']).toBe(piece?.['CONTAINER_PARTIAL_ID'] ?? '');
    expect(oops).toMatchObject({ MESSAGE: 'oops', PRIORITY: '3', CONTAINER_LOG_ORDINAL: '4' });
  });

  test('without a journal the messages wait for one', async () => {
    const path = join(directory, 'journal');
    await using container = new LoggedContainer(directory, 'c', { journalSocket: path });
    container.write(2);
    await container.start('journald', {});
    await eventually('a failure', () => container.forwarders.status('c')?.lastError);
    expect(container.forwarders.status('c')?.lastError).toBe('journald is not enabled on this host');
    using server = new UnixDatagramServer(path);
    await container.finish();
    await eventually('both entries', () => server.received.length === 2);
  });
});

describe('fluentd', () => {
  type Batch = readonly [string, readonly (readonly [unknown, unknown])[], Record<string, unknown>];

  const acknowledgement = (chunk: string) =>
    Buffer.concat([
      Buffer.of(0x81, 0xa3),
      Buffer.from('ack'),
      Buffer.of(0xd9, chunk.length),
      Buffer.from(chunk),
    ]);

  /** Messages as JSON of `[tag, time, record]`; confirms batches if asked, the first `wrongAnswers` ones wrongly. */
  function cutForward(wrongAnswers: number): StreamServerOptions['cut'] {
    let wrongLeft = wrongAnswers;
    const accept = ([tag, entries, option]: Batch, answer: (data: Uint8Array) => void): string[] => {
      expect(option['size']).toBe(entries.length);
      const chunk = option['chunk'];
      const isWrong = chunk !== undefined && wrongLeft-- > 0;
      if (chunk !== undefined) answer(acknowledgement(isWrong ? 'another' : String(chunk)));
      return isWrong ? [] : entries.map(([time, record]) => JSON.stringify([tag, time, record]));
    };
    return (data, answer) => {
      const reader = new MsgpackReader(data);
      const messages: string[] = [];
      for (let value = reader.tryNext(); value !== undefined; value = reader.tryNext()) {
        messages.push(...accept(value as Batch, answer));
      }
      return { messages, size: reader.offset };
    };
  }

  for (const [title, config, time] of [
    ['seconds', {}, 1_767_323_045],
    [
      'nanoseconds',
      { 'fluentd-sub-second-precision': 'true' },
      { extension: 0, seconds: 1_767_323_045, nanoseconds: 123_456_789 },
    ],
  ] as const) {
    test(`tcp: records with times in ${title}`, async () => {
      using server = new StreamServer({ at: 0, cut: cutForward(0) });
      await using container = new LoggedContainer(directory);
      container.writeEntries([
        ['F', 'grüße'],
        ['F', '', 'stderr'],
      ]);
      const address = { 'fluentd-address': `127.0.0.1:${server.port}` };
      await container.start('fluentd', { ...address, ...config, tag: 'docker.{{.Name}}', labels: 'team' });
      await container.finish();
      await eventually('two records', () => server.received.length === 2);
      const record = {
        container_id: FULL_ID,
        container_name: '/web',
        source: 'stdout',
        log: 'grüße',
        team: 'a',
      };
      expect(server.received.map((message) => JSON.parse(message))).toEqual([
        ['docker.web', time, record],
        ['docker.web', time, { ...record, source: 'stderr', log: '' }],
      ]);
    });
  }

  test('unix, acknowledged: what is not confirmed is sent again', async () => {
    const path = join(directory, 'fluent.sock');
    using server = new StreamServer({ at: path, cut: cutForward(2) });
    await using container = new LoggedContainer(directory);
    const lines = container.write(600);
    await container.start('fluentd', {
      'fluentd-address': `unix://${path}`,
      'fluentd-request-ack': 'true',
      'fluentd-retry-wait': '1ms',
    });
    await container.finish();
    expect(server.connections).toBe(3);
    expect(server.received.map((message) => JSON.parse(message)[2].log)).toEqual(lines);
  });

  test('a long line comes as numbered pieces', async () => {
    const path = join(directory, 'fluent.sock');
    using server = new StreamServer({ at: path, cut: cutForward(0) });
    await using container = new LoggedContainer(directory);
    container.writeEntries([...new Array(5).fill(['P', 'x'.repeat(8192)]), ['F', 'end']]);
    await container.start('fluentd', { 'fluentd-address': `unix://${path}`, 'fluentd-request-ack': 'true' });
    await container.finish();
    const records = server.received.map((message) => JSON.parse(message)[2]);
    expect(records.map(({ log }) => log.length)).toEqual([16_384, 16_384, 8_195]);
    expect(records.map(({ partial_ordinal }) => partial_ordinal)).toEqual(['1', '2', '3']);
    expect(records.map(({ partial_last }) => partial_last)).toEqual(['false', 'false', 'true']);
    expect(new Set(records.map(({ partial_id }) => partial_id)).size).toBe(1);
  });
});
