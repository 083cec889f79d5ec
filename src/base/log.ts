export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFields = Readonly<Record<string, unknown>>;

/** Structured log. Messages are static lower-case text; everything that varies is a field. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}

export interface LoggerOptions {
  /** Lowest level written. Default `info`. Read at every line, so that a reload can change it. */
  readonly level?: () => LogLevel;
  /** `json` (one object a line) or `text`. Default `json`. */
  readonly format?: 'json' | 'text';
  /** Receives complete lines with their newline. Default: standard error. */
  readonly write?: (line: string) => void;
  readonly now?: () => Date;
}

const SECRET_KEY = /pass(word)?|secret|token|^auth(orization)?$|identitytoken|unlockkey|signingcakey/i;
const MASK = '*****';
const MAX_MASK_DEPTH = 8;

/** Replaces the values of secret-looking keys at any depth, and errors by their message and cause chain. */
export function maskSecrets(value: unknown, depth = 0): unknown {
  if (depth > MAX_MASK_DEPTH) return '…';
  if (value instanceof Error) return describeError(value);
  if (Array.isArray(value)) return value.map((item) => maskSecrets(item, depth + 1));
  if (typeof value !== 'object' || value === null)
    return typeof value === 'bigint' ? value.toString() : value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      SECRET_KEY.test(key) ? MASK : maskSecrets(item, depth + 1),
    ]),
  );
}

function describeError(error: Error): string {
  const cause = error.cause instanceof Error ? `: ${describeError(error.cause)}` : '';
  return `${error.message}${cause}`;
}

/** The default {@link Logger}: one line an entry, secrets masked. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const level = options.level ?? (() => 'info');
  const write = options.write ?? ((line) => process.stderr.write(line));
  const now = options.now ?? (() => new Date());
  const render = options.format === 'text' ? renderText : renderJson;
  const bind = (bound: LogFields): Logger => {
    const at = (lineLevel: LogLevel) => (message: string, fields?: LogFields) => {
      if (LOG_LEVELS.indexOf(lineLevel) < LOG_LEVELS.indexOf(level())) return;
      const masked = maskSecrets({ ...bound, ...fields }) as LogFields;
      write(`${render(now(), lineLevel, message, masked)}\n`);
    };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => bind({ ...bound, ...fields }),
    };
  };
  return bind({});
}

function renderJson(time: Date, level: LogLevel, message: string, fields: LogFields): string {
  return JSON.stringify({ time: time.toISOString(), level, msg: message, ...fields });
}

function renderText(time: Date, level: LogLevel, message: string, fields: LogFields): string {
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${JSON.stringify(value)}`);
  return `${time.toISOString()} ${level.toUpperCase().padEnd(5)} ${message}${rest.join('')}`;
}

/** A logger that drops everything, for tests and for callers that do not care. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};
