import { describe, expect, test } from 'bun:test';
import { containerFixture } from '../testing/fixtures.ts';
import { EventTime, pack, unpackTextMap } from './fluentd/msgpack.ts';
import { logInfoOf } from './info.ts';
import { containerFields, encodeJournalEntry, journalFieldName, messageFields } from './journald/entry.ts';
import { formatSyslog, type SyslogFormat } from './syslog/format.ts';
import { parseUrl } from './transport/address.ts';
import type { LogMessage } from './types.ts';

/** Written in another zone than the one of the test; the expected local times are made by the same rules as Go's. */
const TIME = '2026-01-02T03:04:05.123456789+00:00';
const message = (line: string, changes: Partial<LogMessage> = {}): LogMessage => ({
  stream: 'stdout',
  time: TIME,
  line: Buffer.from(line),
  ...changes,
});

describe('formatSyslog', () => {
  const format = (name: SyslogFormat, sent: LogMessage, countsBytes = false) =>
    formatSyslog(
      { facility: 3, format: name, hostname: 'host', tag: 'tag', pid: 42, countsBytes },
      sent,
    ).toString();
  const withZone = (zone: string, action: () => void) => {
    const before = process.env['TZ'];
    process.env['TZ'] = zone;
    try {
      action();
    } finally {
      process.env['TZ'] = before ?? 'UTC';
    }
  };

  for (const [name, zone, expected] of [
    ['', 'UTC', '<30>Jan  2 03:04:05 tag[42]: hello\n'],
    ['rfc3164', 'UTC', '<30>Jan  2 03:04:05 host tag[42]: hello\n'],
    ['rfc5424', 'UTC', '<30>1 2026-01-02T03:04:05Z host tag 42 tag - hello\n'],
    ['rfc5424micro', 'UTC', '<30>1 2026-01-02T03:04:05.123456Z host tag 42 tag - hello\n'],
    ['rfc5424', 'America/St_Johns', '<30>1 2026-01-01T23:34:05-03:30 host tag 42 tag - hello\n'],
    ['', 'Asia/Tokyo', '<30>Jan  2 12:04:05 tag[42]: hello\n'],
  ] as const) {
    test(`${name || 'default'} in ${zone}`, () =>
      withZone(zone, () => expect(format(name, message('hello'))).toBe(expected)));
  }

  test('stderr is an error; a newline is not doubled; the length counts bytes', () => {
    withZone('UTC', () => {
      expect(format('', message('a', { stream: 'stderr' }))).toStartWith('<27>');
      expect(format('', message('a\n'))).toEndWith(': a\n');
      const counted = format('rfc5424', message('ü'), true);
      expect(counted).toBe(
        `${Buffer.byteLength(counted) - 3} <30>1 2026-01-02T03:04:05Z host tag 42 tag - ü\n`,
      );
    });
  });
});

describe('journal entries', () => {
  test('values without newline are text, others carry their length', () => {
    const encoded = encodeJournalEntry([
      ['A', 'one'],
      ['B', Buffer.from('x\ny')],
      ['EMPTY', ''],
    ]);
    const expected = Buffer.concat([
      Buffer.from('A=one\nB\n'),
      Buffer.of(3, 0, 0, 0, 0, 0, 0, 0),
      Buffer.from('x\ny\nEMPTY=\n'),
    ]);
    expect(encoded).toEqual(expected);
  });

  test('docker’s fields of the container', () => {
    const container = containerFixture({ name: 'web' });
    const info = logInfoOf(container, { tag: '{{.Name}}' });
    expect(Object.fromEntries(containerFields(info, 'epoch'))).toEqual({
      CONTAINER_ID: 'f00d00000000',
      CONTAINER_ID_FULL: container.id,
      CONTAINER_NAME: 'web',
      CONTAINER_TAG: 'web',
      IMAGE_NAME: 'busybox',
      SYSLOG_IDENTIFIER: 'web',
      CONTAINER_LOG_EPOCH: 'epoch',
    });
  });

  test('fields of a message, and of a piece of one', () => {
    const fields = (sent: LogMessage) => Object.fromEntries(messageFields(sent, 7));
    expect(fields(message('m', { time: '2026-01-02T03:04:05.120+00:00' }))).toEqual({
      MESSAGE: Buffer.from('m'),
      PRIORITY: '6',
      SYSLOG_TIMESTAMP: '2026-01-02T03:04:05.12Z',
      CONTAINER_LOG_ORDINAL: '7',
    });
    expect(
      fields(message('m', { stream: 'stderr', partial: { id: 'i', ordinal: 2, last: false } })),
    ).toMatchObject({
      PRIORITY: '3',
      CONTAINER_PARTIAL_ID: 'i',
      CONTAINER_PARTIAL_ORDINAL: '2',
      CONTAINER_PARTIAL_LAST: 'false',
      CONTAINER_PARTIAL_MESSAGE: 'true',
    });
    const last = fields(message('m', { partial: { id: 'i', ordinal: 3, last: true } }));
    expect(last['CONTAINER_PARTIAL_MESSAGE']).toBeUndefined();
  });

  for (const [key, expected] of [
    ['com.example-x', 'COM_EXAMPLE_X'],
    ['_hidden', 'HIDDEN'],
    ['Üx9', 'X9'],
    ['___', ''],
  ] as const) {
    test(`journalFieldName: ${key}`, () => expect(journalFieldName(key)).toBe(expected));
  }
});

describe('msgpack', () => {
  for (const [title, value, hex] of [
    ['small number', 127, '7f'],
    ['byte', 200, 'ccc8'],
    ['short', 0xabcd, 'cdabcd'],
    ['word', 0x6955_5555, 'ce69555555'],
    ['long', 2 ** 40, 'cf0000010000000000'],
    ['booleans', [true, false], '92c3c2'],
    ['text', 'ab', 'a26162'],
    ['bytes that are no UTF-8', Buffer.of(0xff), 'a1ff'],
    ['map', { a: 1 }, '81a16101'],
    ['time', new EventTime(1_000_000_000_000_000_005n), 'd7003b9aca0000000005'],
  ] as const) {
    test(title, () => expect(pack(value).toString('hex')).toBe(hex));
  }

  for (const [length, head] of [
    [31, 'bf'],
    [32, 'd920'],
    [255, 'd9ff'],
    [256, 'da0100'],
    [65_536, 'db00010000'],
  ] as const) {
    test(`text of ${length} bytes`, () => {
      const packed = pack('x'.repeat(length));
      expect(packed.toString('hex').slice(0, head.length)).toBe(head);
      expect(packed.length).toBe(length + head.length / 2);
    });
  }

  test('collections of 16 and more', () => {
    expect(pack(new Array(16).fill(0)).toString('hex')).toStartWith('dc0010');
    const map = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [String(index), 0]));
    expect(pack(map).toString('hex')).toStartWith('de0010');
  });

  test('unpackTextMap: reads an answer once all of it is there', () => {
    const answer = Buffer.concat([pack({ ack: 'x'.repeat(40) }), Buffer.of(0xc0)]);
    for (let length = 0; length < answer.length - 1; length += 1) {
      expect(unpackTextMap(answer.subarray(0, length))).toBeUndefined();
    }
    expect(unpackTextMap(answer)).toEqual({ map: { ack: 'x'.repeat(40) }, size: answer.length - 1 });
    expect(() => unpackTextMap(Buffer.from('HTTP/1.1'))).toThrow(TypeError);
    expect(() => unpackTextMap(Buffer.of(0x81, 0xc0))).toThrow(TypeError);
  });
});

describe('parseUrl', () => {
  for (const [text, expected] of [
    ['tcp://host:1', 'tcp host 1 '],
    ['tcp://[::1]:1/x', 'tcp ::1 1 /x'],
    ['udp://host', 'udp host  '],
    ['unix:///run/x.sock:80', 'unix   /run/x.sock:80'],
    ['plain', '   plain'],
  ] as const) {
    test(text, () => {
      const { scheme, host, port, path } = parseUrl(text);
      expect([scheme, host, port, path].join(' ')).toBe(expected);
    });
  }

  test('a port that is no number', () => {
    expect(() => parseUrl('tcp://h:x')).toThrow('parse "tcp://h:x": invalid port ":x" after host');
  });
});
