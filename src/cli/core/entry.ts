import type { CommandDefinition } from './command.ts';

/** What is known of a command without loading it. */
export interface CommandEntry {
  /** Canonical name: `container run`, or one word for a command without a group. */
  readonly path: string;
  /** Other names within its group. */
  readonly aliases?: readonly string[];
  /** Names directly after the program's. */
  readonly topLevel?: readonly string[];
  readonly summary: string;
  /** In the first block of the help text. */
  readonly common?: true;
  /** Needs no engine: none is asked before its code is loaded. */
  readonly isLocal?: true;
  /** Not in help. */
  readonly hidden?: true;
  load(): Promise<{ readonly command: CommandDefinition }>;
}

/** A noun with verbs below it. */
export interface GroupEntry {
  readonly name: string;
  readonly summary: string;
}
