import { describe, expect, test } from 'bun:test';
import { GantryError } from '#base';
import { containerCreateRequest, containerUpdateRequest, execCreateRequest } from '../decode/container.ts';
import { volumeCreateRequest } from '../decode/system.ts';
import { decodeJson } from './decoder.ts';

const decode = (text: string) => decodeJson(containerCreateRequest, text);

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof GantryError && error.code === 'invalid_argument') return error.message;
    throw error;
  }
  throw new Error('was accepted');
}

describe('decodeJson', () => {
  test('field names match whatever their case, unknown ones are ignored, null is not set', () => {
    expect(decode('{"image":"a","CMD":["x"],"nope":{"a":1},"Env":null,"hostconfig":{"memory":5}}')).toEqual({
      Image: 'a',
      Cmd: ['x'],
      HostConfig: { Memory: 5 },
    });
    expect(decode('null')).toEqual({});
  });

  test('the last of two equal fields wins', () => {
    expect(decode('{"Image":"a","image":"b"}')).toEqual({ Image: 'b' });
  });

  test('Cmd and Entrypoint take one string as a list of one', () => {
    expect(decode('{"Cmd":"sh","Entrypoint":""}')).toEqual({ Cmd: ['sh'], Entrypoint: [''] });
  });

  test.each([
    ['9007199254740991', 9007199254740991],
    // As a Go client may read it back: never above the type's range.
    ['9223372036854775807', 9223372036854775000],
    ['-9223372036854775808', -9223372036854775000],
    ['-1', -1],
    ['9007199254740995', 9007199254740994],
    ['-9007199254740995', -9007199254740994],
  ])('an integer stays in its range: %s', (text, value) => {
    const given = decode(`{"HostConfig":{"ShmSize":${text}}}`).HostConfig?.ShmSize;
    expect(given).toBe(value);
    expect(Math.abs(Number(BigInt(JSON.stringify(given)) - BigInt(text)))).toBeLessThanOrEqual(1024);
    expect(BigInt(JSON.stringify(given))).toBeGreaterThanOrEqual(-(2n ** 63n));
    expect(BigInt(JSON.stringify(given))).toBeLessThan(2n ** 63n);
  });

  test.each(['9223372036854775808', '-9223372036854775809', '18446744073709551616'])(
    'an integer beyond its type is refused, to the last digit: %s',
    (text) => {
      expect(refusal(() => decode(`{"HostConfig":{"ShmSize":${text}}}`))).toEndWith(
        `json: cannot unmarshal number ${text} into Go struct field HostConfig.HostConfig.ShmSize of type int64`,
      );
      expect(refusal(() => decode(`{"Image":${text}}`))).toContain('cannot unmarshal number into Go');
    },
  );

  test('an unsigned integer has its own range', () => {
    const limit = (rate: string) =>
      decode(`{"HostConfig":{"BlkioDeviceReadBps":[{"Path":"/a","Rate":${rate}}]}}`).HostConfig
        ?.BlkioDeviceReadBps?.[0]?.Rate;
    expect(BigInt(JSON.stringify(limit('18446744073709551615')))).toBeLessThan(2n ** 64n);
    expect(refusal(() => limit('18446744073709551616'))).toContain('number 18446744073709551616 into');
    expect(refusal(() => limit('-1'))).toContain('number -1 into');
  });

  test('sets keep their keys', () => {
    expect(decode('{"Volumes":{"/v":{},"__proto__":null}}').Volumes).toEqual(
      JSON.parse('{"/v":{},"__proto__":{}}'),
    );
  });

  // Texts recorded from a stock dockerd 20.10, behind the prefix of newer ones.
  test.each([
    ['{"Image":1}', 'number into Go struct field CreateRequest.Image of type string'],
    [
      '{"HostConfig":{"Memory":"x"}}',
      'string into Go struct field HostConfig.HostConfig.Memory of type int64',
    ],
    [
      '{"HostConfig":{"Memory":1.5}}',
      'number 1.5 into Go struct field HostConfig.HostConfig.Memory of type int64',
    ],
    ['{"Env":"x"}', 'string into Go struct field CreateRequest.Env of type []string'],
    ['{"Cmd":{"a":1}}', 'object into Go struct field CreateRequest.Cmd of type string'],
    ['{"Labels":{"a":1}}', 'number into Go struct field CreateRequest.Labels of type string'],
    [
      '{"HostConfig":{"PortBindings":{"80/tcp":[{"HostPort":80}]}}}',
      'number into Go struct field PortBinding.HostConfig.PortBindings.HostPort of type string',
    ],
    [
      '{"HostConfig":{"Mounts":[{"Type":4}]}}',
      'number into Go struct field Mount.HostConfig.Mounts.Type of type mount.Type',
    ],
    ['{"Tty":"x"}', 'string into Go struct field CreateRequest.Tty of type bool'],
    ['[]', 'array into Go value of type container.CreateRequest'],
    ['"a"', 'string into Go value of type container.CreateRequest'],
  ])('%s', (body, text) => {
    expect(refusal(() => decode(body))).toBe(`invalid JSON: json: cannot unmarshal ${text}`);
  });

  test.each([
    ['', 'invalid JSON: got EOF while reading request body'],
    [' \n', 'invalid JSON: got EOF while reading request body'],
    ['{"image":', 'invalid JSON: unexpected EOF'],
    ['{"image":}', "invalid JSON: invalid character '}' looking for beginning of value"],
    ['xyz', "invalid JSON: invalid character 'x' looking for beginning of value"],
    ['{a}', "invalid JSON: invalid character 'a' looking for beginning of object key string"],
    ['{"a" 1}', "invalid JSON: invalid character '1' after object key"],
    ['{"a":1 "b"}', "invalid JSON: invalid character '\"' after object key:value pair"],
    ['[1 2]', "invalid JSON: invalid character '2' after array element"],
    ['{"a":trux}', "invalid JSON: invalid character 'x' in literal true (expecting 'e')"],
    ['{"a":"\n"}', "invalid JSON: invalid character '\\n' in string literal"],
    ['{"a":"\\x"}', "invalid JSON: invalid character 'x' in string escape code"],
    ['{"a":-x}', "invalid JSON: invalid character 'x' in numeric literal"],
    ['{"a":1.x}', "invalid JSON: invalid character 'x' after decimal point in numeric literal"],
    ['{} x', 'unexpected content after JSON'],
  ])('malformed %j', (body, text) => {
    expect(refusal(() => decode(body))).toBe(text);
  });

  test('a deeply nested text is refused, not a stack overflow', () => {
    expect(refusal(() => decode('['.repeat(200_000)))).toBe('invalid JSON: exceeded max depth');
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      const text = `{"x":${open.repeat(20_000)}1${close.repeat(20_000)}}`;
      expect(refusal(() => decode(text))).toBe('invalid JSON: exceeded max depth');
    }
    expect(decode(`{"x":"${'[{\\"'.repeat(20_000)}"}`)).toBeDefined();
  });

  test('a deeply nested text costs no memory', () => {
    const text = '['.repeat(15_000_000);
    const before = process.memoryUsage().rss;
    expect(refusal(() => decode(text))).toBe('invalid JSON: exceeded max depth');
    // JSON.parse alone would take a gigabyte.
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });

  test('no input makes anything but an invalid_argument', () => {
    const values = ['1', '-1', '1e99', '"x"', 'true', 'null', '[]', '{}', '[[]]', '[null]', '{"a":null}'];
    const keys = [
      'Image',
      'Env',
      'Cmd',
      'Labels',
      'HostConfig',
      'Volumes',
      'Healthcheck',
      'NetworkingConfig',
    ];
    for (const decoder of [
      containerCreateRequest,
      containerUpdateRequest,
      execCreateRequest,
      volumeCreateRequest,
    ]) {
      for (const key of keys) {
        for (const value of values) {
          try {
            decodeJson<unknown>(decoder, `{"${key}":${value}}`);
          } catch (error) {
            expect(error).toBeInstanceOf(GantryError);
          }
        }
      }
    }
  });
});
