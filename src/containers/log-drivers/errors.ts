import { type GantryError, invalidArgument, unavailable } from '#base';

/**
 * Texts of log configuration that clients show letter by letter (docker's contract). Each has a test in
 * `registry.test.ts`. Source: moby `daemon/logger/factory.go` and the drivers' own `ValidateLogOpt`.
 */
export const noSuchDriver = (driver: string): GantryError =>
  invalidArgument(`logger: no log driver named '${driver}' is registered`);

export const unknownOption = (option: string, driver: string): GantryError =>
  invalidArgument(
    driver === 'local'
      ? `unknown log opt '${option}' for log driver local`
      : `unknown log opt '${option}' for ${driver} log driver`,
  );

export const unknownMode = (mode: string): GantryError =>
  invalidArgument(`logger: logging mode not supported: ${mode}`);

export const bufferNeedsMode = (): GantryError =>
  invalidArgument("logger: max-buffer-size option is only supported with 'mode=non-blocking'");

export const badBufferSize = (reason: string): GantryError =>
  invalidArgument(`error parsing option max-buffer-size: ${reason}`);

export const badCacheDisabled = (value: string): GantryError =>
  invalidArgument(`invalid value for option cache-disabled: ${value}`);

export const sizeNotPositive = (): GantryError => invalidArgument('max-size must be a positive number');

export const tooFewFiles = (): GantryError => invalidArgument('max-file cannot be less than 1');

export const compressNeedsFiles = (): GantryError =>
  invalidArgument('compress cannot be true when max-file is less than 2 or max-size is not set');

export const localCompressNeedsFiles = (): GantryError =>
  invalidArgument('compression cannot be enabled when max file count is 1');

export const unsupportedScheme = (scheme: string): GantryError =>
  invalidArgument(`unsupported scheme: '${scheme}'`);

export const badFacility = (): GantryError => invalidArgument('invalid syslog facility');

export const badFormat = (): GantryError => invalidArgument('invalid syslog format');

export const journaldMissing = (): GantryError => unavailable('journald is not enabled on this host');

export const badTemplateField = (field: string, column: number): GantryError =>
  invalidArgument(
    `template: log-tag:1:${column}: executing "log-tag" at <${field}>: ` +
      `can't evaluate field ${field.slice(1)} in type *logger.Info`,
  );

export const badTemplate = (template: string): GantryError =>
  invalidArgument(`template: log-tag:1: unsupported action in ${JSON.stringify(template)}`);
