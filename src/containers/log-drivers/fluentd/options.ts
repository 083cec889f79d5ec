import { GantryError, invalidArgument, parseBytes, parseDurationNs } from '#base';
import { unsupportedScheme } from '../errors.ts';
import { boolOption } from '../option-values.ts';
import { parsePort, parseUrl } from '../transport/address.ts';
import type { StreamTarget } from '../transport/stream.ts';
import type { RetryPolicy } from '../types.ts';

type Options = Readonly<Record<string, string>>;

export interface FluentdOptions {
  readonly target: StreamTarget;
  /** Times with nanoseconds. */
  readonly subSecondPrecision: boolean;
  /** Wait for the server to confirm each batch. */
  readonly requestAck: boolean;
  /** Zero: our own default. */
  readonly writeTimeoutMs: number;
  readonly retry: RetryPolicy;
}

const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 24_224;
const DEFAULT_RETRY_WAIT_MS = 1000;
const RETRY_FACTOR = 1.5;
const MAX_RETRY_WAIT_MS = 60_000;
const MAX_RETRIES = 2 ** 31 - 1;
const NS_PER_MS = 1e6;

/**
 * Source: moby `daemon/logger/fluentd/fluentd.go`. `fluentd-async`, `-async-reconnect-interval` and `-buffer-limit` are
 * checked and have no further meaning: delivery is always apart from the container, and the spool is its buffer.
 * @throws `invalid_argument` with docker's texts.
 */
export function parseFluentdOptions(options: Options): FluentdOptions {
  const target = parseTarget(options['fluentd-address'] ?? '');
  const bufferLimit = options['fluentd-buffer-limit'];
  if (bufferLimit) parseBytes(bufferLimit);
  const retryWait = options['fluentd-retry-wait'];
  const firstMs = retryWait ? parseDurationNs(retryWait) / NS_PER_MS : DEFAULT_RETRY_WAIT_MS;
  const maxAttempts = parseRetries(options['fluentd-max-retries']);
  if (options['fluentd-async'] && options['fluentd-async-connect']) {
    throw invalidArgument(
      "conflicting options: cannot specify both 'fluentd-async' and 'fluentd-async-connect",
    );
  }
  boolOption(options, 'fluentd-async');
  boolOption(options, 'fluentd-async-connect');
  checkReconnectInterval(options['fluentd-async-reconnect-interval']);
  return {
    target,
    subSecondPrecision: boolOption(options, 'fluentd-sub-second-precision') ?? false,
    requestAck: boolOption(options, 'fluentd-request-ack') ?? false,
    writeTimeoutMs: parseTimeout(options, 'fluentd-write-timeout'),
    retry: {
      firstMs,
      factor: RETRY_FACTOR,
      maxMs: MAX_RETRY_WAIT_MS,
      ...(maxAttempts === undefined ? {} : { maxAttempts }),
    },
  };
}

function parseTarget(address: string): StreamTarget {
  try {
    return parseAddress(address);
  } catch (error) {
    throw wrapped(error, `invalid fluentd-address (${address})`);
  }
}

function parseAddress(address: string): StreamTarget {
  const { scheme, host, port, path } = parseUrl(address.includes('://') ? address : `tcp://${address}`);
  if (scheme === 'unix') {
    if (path.replace(/^\/+/, '') === '') throw invalidArgument('path is empty');
    return { kind: 'unix', path };
  }
  if (scheme !== 'tcp' && scheme !== 'tls') throw unsupportedScheme(scheme);
  if (path !== '') throw invalidArgument('should not contain a path element');
  return {
    kind: 'tcp',
    host: host || DEFAULT_HOST,
    port: port === '' ? DEFAULT_PORT : parsePort(port),
    ...(scheme === 'tls' ? { tls: { skipVerify: false } } : {}),
  };
}

function parseRetries(text: string | undefined): number | undefined {
  if (!text) return undefined;
  if (!/^\d+$/.test(text)) {
    throw invalidArgument(`strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const retries = Number(text);
  if (retries > MAX_RETRIES) throw invalidArgument('invalid fluentd-max-retries: value out of range');
  // Docker's client library takes zero for "not set".
  return retries || undefined;
}

function checkReconnectInterval(text: string | undefined): void {
  if (!text) return;
  const name = 'fluentd-async-reconnect-interval';
  const ms = parseDuration(text, `invalid value for ${name}`) / NS_PER_MS;
  if (ms !== 0 && (ms < 100 || ms > 10_000)) {
    throw invalidArgument(
      `invalid value for ${name}: value (${JSON.stringify(text)}) must be between 100ms and 10s`,
    );
  }
}

function parseTimeout(options: Options, name: string): number {
  const text = options[name];
  if (!text) return 0;
  const ns = parseDuration(text, `invalid value for ${name}: value must be a duration`);
  if (ns < 0) {
    throw invalidArgument(`invalid value for ${name}: value must be a duration that is non-negative`);
  }
  return ns / NS_PER_MS;
}

function parseDuration(text: string, context: string): number {
  try {
    return parseDurationNs(text);
  } catch (error) {
    throw wrapped(error, context);
  }
}

function wrapped(error: unknown, context: string): unknown {
  return error instanceof GantryError ? invalidArgument(`${context}: ${error.message}`) : error;
}
