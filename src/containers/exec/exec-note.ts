import type { ExecConfig } from '../types.ts';

/** What a successor of a killed daemon needs to know of an exec besides its process. Lies with the runtime's files. */
export interface ExecNote {
  readonly version: 1;
  readonly config: ExecConfig;
  /** A client was connected to its streams. */
  readonly isAttached: boolean;
}

export const encodeNote = (config: ExecConfig, isAttached: boolean): string =>
  JSON.stringify({ version: 1, config, isAttached } satisfies ExecNote);

const TEXTS = ['detachKeys', 'user', 'workingDir'] as const satisfies (keyof ExecConfig)[];
const FLAGS = [
  'attachStdin',
  'attachStdout',
  'attachStderr',
  'tty',
  'privileged',
] as const satisfies (keyof ExecConfig)[];
const LISTS = ['env', 'cmd'] as const satisfies (keyof ExecConfig)[];

/** Undefined when it is not a note of this version. */
export function tryDecodeNote(text: string | undefined): ExecNote | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isNote(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isNote(value: unknown): value is ExecNote {
  const { version, config, isAttached } = (value ?? {}) as Partial<ExecNote>;
  if (version !== 1 || typeof config !== 'object' || config === null) return false;
  return (
    typeof isAttached === 'boolean' &&
    TEXTS.every((key) => typeof config[key] === 'string') &&
    FLAGS.every((key) => typeof config[key] === 'boolean') &&
    LISTS.every((key) => Array.isArray(config[key]) && config[key].every((item) => typeof item === 'string'))
  );
}
