import { compileGoRegexp, GantryError, ownValue, parseBytes } from '#base';
import type { LogConfig } from '../model.ts';
import {
  badBufferSize,
  badCacheDisabled,
  bufferNeedsMode,
  noSuchDriver,
  unknownMode,
  unknownOption,
} from './errors.ts';
import { parseFluentdOptions } from './fluentd/options.ts';
import { fluentdSink } from './fluentd/sink.ts';
import { journaldSink } from './journald/sink.ts';
import { tryParseBool } from './option-values.ts';
import { jsonFileRotation, localRotation, type SpoolRotation } from './rotation.ts';
import { checkSyslogSocket, parseSyslogOptions } from './syslog/options.ts';
import { syslogSink } from './syslog/sink.ts';
import type { LogDriver, LogInfo, SinkHost, SinkSettings } from './types.ts';

type Options = LogConfig['config'];

const ATTRIBUTES = ['labels', 'labels-regex', 'env', 'env-regex', 'tag'] as const;
const FILES = ['max-size', 'max-file', 'compress'] as const;

const DRIVERS: Readonly<Record<string, LogDriver>> = {
  'json-file': { options: [...FILES, ...ATTRIBUTES], check: jsonFileRotation },
  local: { options: [...FILES, ...ATTRIBUTES], check: localRotation },
  journald: { options: ATTRIBUTES, check: () => {}, sink: journaldSink },
  syslog: {
    options: [
      ...ATTRIBUTES,
      'syslog-address',
      'syslog-facility',
      'syslog-format',
      'syslog-tls-ca-cert',
      'syslog-tls-cert',
      'syslog-tls-key',
      'syslog-tls-skip-verify',
    ],
    check: parseSyslogOptions,
    checkHost: checkSyslogSocket,
    sink: syslogSink,
  },
  fluentd: {
    options: [
      ...ATTRIBUTES,
      'fluentd-address',
      'fluentd-async',
      'fluentd-async-connect',
      'fluentd-async-reconnect-interval',
      'fluentd-buffer-limit',
      'fluentd-max-retries',
      'fluentd-request-ack',
      'fluentd-retry-wait',
      'fluentd-sub-second-precision',
      'fluentd-write-timeout',
      'fluentd-read-timeout',
    ],
    check: parseFluentdOptions,
    sink: fluentdSink,
  },
};

/** Options of every driver: of delivery, and (`cache-`) of the spool. */
const COMMON_OPTIONS: readonly string[] = [
  'mode',
  'max-buffer-size',
  'cache-disabled',
  ...[...FILES, ...ATTRIBUTES].map((option) => `cache-${option}`),
];

/** `none` keeps nothing and is no driver, but a name. */
const NONE = 'none';

/** Names of the drivers, sorted, as `info` lists them. */
export const LOG_DRIVER_NAMES: readonly string[] = Object.keys(DRIVERS).sort();

const DEFAULT_BUFFER_BYTES = 1_000_000;

/** What a container's log configuration means. */
export interface Logging {
  readonly driver: string;
  /** False: nothing is kept (`none`). */
  readonly hasSpool: boolean;
  /** Whether `logs` may read the spool: not for `none`, nor with `cache-disabled`. */
  readonly isReadable: boolean;
  readonly rotation: SpoolRotation;
  /** Non-blocking mode: the longest backlog in bytes. Undefined: blocking. */
  readonly maxLagBytes: number | undefined;
  /** How to send messages away. Undefined: the driver has no sink. */
  readonly sink: ((info: LogInfo, host: SinkHost) => SinkSettings) | undefined;
}

/**
 * Checks a log configuration and says what it means. `type` must be set: defaults are the caller's.
 * @throws `invalid_argument` with docker's texts.
 */
export function resolveLogging({ type, config }: LogConfig): Logging {
  if (type === NONE) return NO_LOGGING;
  const maxLagBytes = parseMode(config);
  const driver = ownValue(DRIVERS, type);
  if (!driver) throw noSuchDriver(type);
  const isCacheDisabled = parseCacheDisabled(config);
  for (const option of Object.keys(config)) {
    if (!driver.options.includes(option) && !COMMON_OPTIONS.includes(option))
      throw unknownOption(option, type);
  }
  checkPatterns(config);
  driver.check(config);
  return {
    driver: type,
    hasSpool: true,
    isReadable: !driver.sink || !isCacheDisabled,
    rotation: rotationOf(type, config, driver.sink !== undefined),
    maxLagBytes,
    sink: driver.sink,
  };
}

/**
 * What docker checks of the machine when a container is made. Not part of {@link resolveLogging}: a sink that has gone
 * must keep neither a start nor `logs` from working. @throws `invalid_argument` with docker's texts.
 */
export function checkLogHost({ type, config }: LogConfig): void {
  if (Object.hasOwn(DRIVERS, type)) DRIVERS[type]?.checkHost?.(config);
}

const NO_LOGGING: Logging = {
  driver: NONE,
  hasSpool: false,
  isReadable: false,
  rotation: { maxBytes: undefined, maxFiles: 1, compress: false },
  maxLagBytes: undefined,
  sink: undefined,
};

/** Drivers with a sink have docker's `cache-` options for what is kept here. */
function rotationOf(type: string, config: Options, hasSink: boolean): SpoolRotation {
  if (hasSink) return localRotation(config, 'cache-');
  return type === 'local' ? localRotation(config) : jsonFileRotation(config);
}

/** The longest backlog in non-blocking mode. */
function parseMode(config: Options): number | undefined {
  const mode = config['mode'] ?? '';
  if (mode !== '' && mode !== 'blocking' && mode !== 'non-blocking') throw unknownMode(mode);
  const size = config['max-buffer-size'];
  if (size !== undefined && mode !== 'non-blocking') throw bufferNeedsMode();
  if (mode !== 'non-blocking') return undefined;
  return size === undefined ? DEFAULT_BUFFER_BYTES : parseBufferSize(size);
}

function parseBufferSize(size: string): number {
  try {
    const bytes = parseBytes(size);
    return bytes < 0 ? DEFAULT_BUFFER_BYTES : bytes;
  } catch (error) {
    throw error instanceof GantryError ? badBufferSize(error.message) : error;
  }
}

function parseCacheDisabled(config: Options): boolean {
  const text = config['cache-disabled'] ?? '';
  const value = text === '' ? false : tryParseBool(text);
  if (value === undefined) throw badCacheDisabled(text);
  return value;
}

function checkPatterns(config: Options): void {
  for (const option of ['labels-regex', 'env-regex'] as const) {
    compileGoRegexp(config[option] ?? '');
  }
}
