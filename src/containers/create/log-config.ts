import { invalidArgument, parseBytes } from '#base';
import type { ContainerDefaults } from '../defaults.ts';
import { unknownLogDriver, unknownLogOption } from '../errors.ts';
import type { LogConfig } from '../model.ts';

const DRIVERS: readonly string[] = ['json-file', 'none'];
const OPTIONS: readonly string[] = [
  'max-size',
  'max-file',
  'labels',
  'labels-regex',
  'env',
  'env-regex',
  'tag',
  'mode',
  'max-buffer-size',
];

/** Rotation as configured: `maxBytes` undefined never rotates; `maxFiles` counts the current file. */
export interface LogRotation {
  readonly maxBytes: number | undefined;
  readonly maxFiles: number;
}

/**
 * Driver and options in effect: the daemon's options count only when the driver is the daemon's too.
 * @throws `invalid_argument` with docker's texts.
 */
export function effectiveLogConfig(given: LogConfig, defaults: ContainerDefaults): LogConfig {
  const type = given.type || defaults.logDriver;
  if (!DRIVERS.includes(type)) throw unknownLogDriver(type);
  const inherited = type === defaults.logDriver ? defaults.logOptions : {};
  const config = { ...inherited, ...given.config };
  if (type === 'none') return { type, config };
  const unknown = Object.keys(config).find((option) => !OPTIONS.includes(option));
  if (unknown) throw unknownLogOption(unknown, type);
  logRotation({ type, config });
  return { type, config };
}

/** @throws `invalid_argument`. */
export function logRotation({ config }: LogConfig): LogRotation {
  const maxSize = config['max-size'];
  const maxFile = config['max-file'];
  const maxFiles = maxFile === undefined ? 1 : Number(maxFile);
  if (!Number.isInteger(maxFiles)) {
    throw invalidArgument(`strconv.Atoi: parsing ${JSON.stringify(maxFile)}: invalid syntax`);
  }
  if (maxFiles < 1) throw invalidArgument('max-file cannot be less than 1');
  if (maxSize === undefined || maxSize === '' || maxSize === '-1') return { maxBytes: undefined, maxFiles };
  const maxBytes = parseBytes(maxSize);
  if (maxBytes <= 0) throw invalidArgument('max-size must be a positive number');
  return { maxBytes, maxFiles };
}
