import { GantryError, invalidArgument } from '#base';
import type { LogConfig } from '../model.ts';
import { compressNeedsFiles, localCompressNeedsFiles, sizeNotPositive, tooFewFiles } from './errors.ts';
import { boolOption, parseDecimalSize, parseInteger } from './option-values.ts';

/** How the spool of a container is kept small. */
export interface SpoolRotation {
  /** A file that has reached so many bytes is replaced by a new one. Undefined: never. */
  readonly maxBytes: number | undefined;
  /** How many files there may be, the current one among them. */
  readonly maxFiles: number;
  /** Whether replaced files are compressed. */
  readonly compress: boolean;
}

type Options = LogConfig['config'];

const DEFAULT_MAX_BYTES = 20 * 1024 * 1024;
const DEFAULT_MAX_FILES = 5;

/**
 * Rotation of `json-file`. Docker's default is one file that grows for ever; ours is the `local` driver's (5 files of
 * 20 MiB, compressed), so that no container fills the disk. `max-size=-1` switches it off. With `max-size` alone
 * there is one file, as in docker.
 * @throws `invalid_argument` with docker's texts.
 */
export function jsonFileRotation(options: Options): SpoolRotation {
  const maxBytes = jsonFileSize(options['max-size']);
  const isDefault = options['max-size'] === undefined;
  const maxFile = options['max-file'];
  const maxFiles = maxFile === undefined ? (isDefault ? DEFAULT_MAX_FILES : 1) : parseInteger(maxFile);
  if (maxFiles < 1) throw tooFewFiles();
  const canCompress = maxFiles > 1 && maxBytes !== undefined;
  const compress = boolOption(options, 'compress') ?? canCompress;
  if (compress && !canCompress) throw compressNeedsFiles();
  return { maxBytes, maxFiles, compress };
}

function jsonFileSize(text: string | undefined): number | undefined {
  if (text === undefined) return DEFAULT_MAX_BYTES;
  if (text === '-1') return undefined;
  const maxBytes = parseDecimalSize(text);
  if (maxBytes <= 0) throw sizeNotPositive();
  return maxBytes;
}

/**
 * Rotation of `local`, and with `prefix` `cache-` that of the spool of a driver that sends messages away.
 * @throws `invalid_argument` with docker's texts. Source: moby `daemon/logger/local/config.go`.
 */
export function localRotation(options: Options, prefix = ''): SpoolRotation {
  const maxSize = options[`${prefix}max-size`];
  const maxFile = options[`${prefix}max-file`];
  const maxBytes = maxSize === undefined ? DEFAULT_MAX_BYTES : localSize(maxSize);
  const maxFiles =
    maxFile === undefined
      ? DEFAULT_MAX_FILES
      : parseInteger(maxFile, `invalid value for max-file: ${maxFile}: `);
  if (maxFiles < 0) throw invalidArgument('max-file must not be negative');
  const given = boolOption(options, `${prefix}compress`, 'invalid boolean value for compress: ');
  const compress = given ?? true;
  if (compress && maxFiles <= 1) throw localCompressNeedsFiles();
  return { maxBytes: maxBytes || undefined, maxFiles: Math.max(maxFiles, 1), compress };
}

function localSize(text: string): number {
  try {
    return parseDecimalSize(text);
  } catch (error) {
    if (!(error instanceof GantryError)) throw error;
    throw invalidArgument(`invalid value for max-size: ${text}: ${error.message}`);
  }
}
