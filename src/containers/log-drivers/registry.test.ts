import { describe, expect, test } from 'bun:test';
import { checkLogHost, LOG_DRIVER_NAMES, resolveLogging } from './registry.ts';

const refusal = (type: string, config: Record<string, string>): string => {
  try {
    resolveLogging({ type, config });
    checkLogHost({ type, config });
  } catch (error) {
    return `${(error as { code?: string }).code}: ${(error as Error).message}`;
  }
  return 'accepted';
};

test('LOG_DRIVER_NAMES: sorted, without none', () => {
  expect(LOG_DRIVER_NAMES).toEqual(['fluentd', 'journald', 'json-file', 'local', 'syslog']);
});

describe('resolveLogging refuses with docker’s texts', () => {
  const unknown = (option: string, driver: string) => `unknown log opt '${option}' for ${driver} log driver`;
  const MiB = 'must be between 100ms and 10s';
  for (const [driver, config, text] of [
    ['gelf', {}, "logger: no log driver named 'gelf' is registered"],
    ['constructor', {}, "logger: no log driver named 'constructor' is registered"],
    ['json-file', { x: '' }, unknown('x', 'json-file')],
    ['journald', { 'max-size': '1m' }, unknown('max-size', 'journald')],
    ['syslog', { 'fluentd-address': '' }, unknown('fluentd-address', 'syslog')],
    ['fluentd', { 'syslog-address': '' }, unknown('syslog-address', 'fluentd')],
    ['local', { x: '' }, "unknown log opt 'x' for log driver local"],
    ['json-file', { mode: 'fast' }, 'logger: logging mode not supported: fast'],
    ['gelf', { mode: 'fast' }, 'logger: logging mode not supported: fast'],
    [
      'json-file',
      { 'max-buffer-size': '1m' },
      "logger: max-buffer-size option is only supported with 'mode=non-blocking'",
    ],
    [
      'json-file',
      { mode: 'non-blocking', 'max-buffer-size': 'x' },
      "error parsing option max-buffer-size: invalid size: 'x'",
    ],
    ['json-file', { 'max-size': 'x' }, "invalid size: 'x'"],
    ['json-file', { 'max-size': '1x' }, "invalid suffix: 'x'"],
    ['json-file', { 'max-size': '0' }, 'max-size must be a positive number'],
    ['json-file', { 'max-file': 'x' }, 'strconv.Atoi: parsing "x": invalid syntax'],
    ['json-file', { 'max-file': '0' }, 'max-file cannot be less than 1'],
    ['json-file', { compress: 'x' }, 'strconv.ParseBool: parsing "x": invalid syntax'],
    [
      'json-file',
      { compress: 'true', 'max-file': '1' },
      'compress cannot be true when max-file is less than 2 or max-size is not set',
    ],
    ['local', { 'max-size': 'x' }, "invalid value for max-size: x: invalid size: 'x'"],
    [
      'local',
      { 'max-file': 'x' },
      'invalid value for max-file: x: strconv.Atoi: parsing "x": invalid syntax',
    ],
    ['local', { 'max-file': '-1' }, 'max-file must not be negative'],
    ['local', { 'max-file': '1' }, 'compression cannot be enabled when max file count is 1'],
    [
      'local',
      { compress: 'x' },
      'invalid boolean value for compress: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    ['journald', { 'cache-disabled': 'x' }, 'invalid value for option cache-disabled: x'],
    ['syslog', { 'syslog-address': 'host:514' }, "unsupported scheme: 'host'"],
    ['syslog', { 'syslog-address': 'http://host' }, "unsupported scheme: 'http'"],
    [
      'syslog',
      { 'syslog-address': '1.2.3.4:514' },
      'parse "1.2.3.4:514": first path segment in URL cannot contain colon',
    ],
    ['syslog', { 'syslog-address': 'unix:///not/there' }, 'stat /not/there: no such file or directory'],
    ['syslog', { 'syslog-facility': '24' }, 'invalid syslog facility'],
    ['syslog', { 'syslog-facility': 'x' }, 'invalid syslog facility'],
    ['syslog', { 'syslog-format': 'rfc1' }, 'invalid syslog format'],
    [
      'fluentd',
      { 'fluentd-address': 'udp://h' },
      "invalid fluentd-address (udp://h): unsupported scheme: 'udp'",
    ],
    [
      'fluentd',
      { 'fluentd-address': 'h:1/path' },
      'invalid fluentd-address (h:1/path): should not contain a path element',
    ],
    ['fluentd', { 'fluentd-address': 'unix:///' }, 'invalid fluentd-address (unix:///): path is empty'],
    [
      'fluentd',
      { 'fluentd-address': '://' },
      'invalid fluentd-address (://): parse "://": missing protocol scheme',
    ],
    [
      'fluentd',
      { 'fluentd-address': 'h:65536' },
      'invalid fluentd-address (h:65536): invalid port: strconv.ParseUint: parsing "65536": value out of range',
    ],
    ['fluentd', { 'fluentd-buffer-limit': 'x' }, "invalid size: 'x'"],
    ['fluentd', { 'fluentd-retry-wait': 'x' }, 'time: invalid duration "x"'],
    ['fluentd', { 'fluentd-max-retries': '-1' }, 'strconv.ParseUint: parsing "-1": invalid syntax'],
    ['fluentd', { 'fluentd-async': 'x' }, 'strconv.ParseBool: parsing "x": invalid syntax'],
    [
      'fluentd',
      { 'fluentd-async': 'true', 'fluentd-async-connect': 'true' },
      "conflicting options: cannot specify both 'fluentd-async' and 'fluentd-async-connect",
    ],
    [
      'fluentd',
      { 'fluentd-async-reconnect-interval': '11s' },
      `invalid value for fluentd-async-reconnect-interval: value ("11s") ${MiB}`,
    ],
    [
      'fluentd',
      { 'fluentd-write-timeout': '-1s' },
      'invalid value for fluentd-write-timeout: value must be a duration that is non-negative',
    ],
  ] as const) {
    test(`${driver} ${JSON.stringify(config)}`, () =>
      expect(refusal(driver, config)).toBe(`invalid_argument: ${text}`));
  }

  test('a pattern that is none', () => {
    expect(refusal('json-file', { 'labels-regex': '(' })).toStartWith(
      'invalid_argument: error parsing regexp: ',
    );
  });
});

describe('resolveLogging', () => {
  const rotation = (type: string, config: Record<string, string> = {}) =>
    resolveLogging({ type, config }).rotation;
  const DEFAULT = { maxBytes: 20 * 1024 * 1024, maxFiles: 5, compress: true };

  for (const [type, config, expected] of [
    ['json-file', {}, DEFAULT],
    ['local', {}, DEFAULT],
    ['syslog', {}, DEFAULT],
    ['json-file', { 'max-size': '10k' }, { maxBytes: 10_000, maxFiles: 1, compress: false }],
    ['json-file', { 'max-size': '10k', 'max-file': '3' }, { maxBytes: 10_000, maxFiles: 3, compress: true }],
    ['json-file', { 'max-file': '1' }, { ...DEFAULT, maxFiles: 1, compress: false }],
    ['json-file', { 'max-size': '-1' }, { maxBytes: undefined, maxFiles: 1, compress: false }],
    ['json-file', { compress: 'false' }, { ...DEFAULT, compress: false }],
    ['local', { 'max-size': '1m', 'max-file': '2' }, { maxBytes: 1_000_000, maxFiles: 2, compress: true }],
    ['local', { 'max-file': '1', compress: 'f' }, { ...DEFAULT, maxFiles: 1, compress: false }],
    [
      'fluentd',
      { 'cache-max-size': '2m', 'cache-max-file': '9' },
      { maxBytes: 2e6, maxFiles: 9, compress: true },
    ],
  ] as const) {
    test(`rotation of ${type} ${JSON.stringify(config)}`, () =>
      expect(rotation(type, config)).toEqual(expected));
  }

  for (const [config, expected] of [
    [{}, undefined],
    [{ mode: 'blocking' }, undefined],
    [{ mode: 'non-blocking' }, 1_000_000],
    [{ mode: 'non-blocking', 'max-buffer-size': '4m' }, 4 * 1024 * 1024],
  ] as const) {
    test(`lag of ${JSON.stringify(config)}`, () =>
      expect(resolveLogging({ type: 'journald', config }).maxLagBytes).toBe(expected));
  }

  test('none: takes any option and keeps nothing', () => {
    const logging = resolveLogging({ type: 'none', config: { whatever: 'x' } });
    expect([logging.hasSpool, logging.isReadable, logging.sink]).toEqual([false, false, undefined]);
  });

  test('every driver can be read back, unless its cache is switched off', () => {
    const readable = (config: Record<string, string>) =>
      LOG_DRIVER_NAMES.filter((type) => resolveLogging({ type, config }).isReadable);
    expect(readable({})).toEqual([...LOG_DRIVER_NAMES]);
    expect(readable({ 'cache-disabled': 'true' })).toEqual(['json-file', 'local']);
  });
});
