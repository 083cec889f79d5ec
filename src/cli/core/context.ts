import type { EngineClient } from '#client';
import type { ConfigFile } from './config-file.ts';

/** Where a command writes. Writing waits for a slow reader; nothing is dropped. */
export interface CliOutput {
  readonly isTerminal: boolean;
  /** Undefined when it is not a terminal. */
  size(): { readonly columns: number; readonly rows: number } | undefined;
  /** Resolves when the text has been handed to the kernel. */
  write(data: string | Uint8Array): Promise<void>;
}

/** Where a command reads from. */
export interface CliInput {
  readonly isTerminal: boolean;
  /** The bytes as they come, until the end of input. Stop iterating to stop reading. */
  chunks(): AsyncIterable<Uint8Array>;
  /** Switches a terminal to raw mode; dispose the result to restore it. */
  raw(): Disposable;
}

/** Signals sent to this process, by name (`SIGINT`). */
export interface SignalSource {
  on(signals: readonly string[], listener: (signal: string) => void): Disposable;
}

/** Everything a command may touch. Nothing is global, so that a test can replace each part. */
export interface CliContext {
  /** The name users type. */
  readonly program: string;
  readonly stdin: CliInput;
  readonly stdout: CliOutput;
  readonly stderr: CliOutput;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signals: SignalSource;
  /** Ends the command with this exit code, whatever it still waits for. */
  abandon(exitCode: number): void;
  readonly now: () => number;
  readonly version: string;
  /** Daemon and registry, which live outside of this room. */
  readonly handlers: Readonly<Record<string, CommandHandler>>;
  readonly globals: GlobalOptions;
  /** The user's configuration; read when first asked for. */
  config(): Promise<ConfigFile>;
  /** The client of the engine the user chose; made when first asked for. */
  client(): Promise<EngineClient>;
}

/** A command that is implemented elsewhere: gets the arguments after its name, answers the exit code. */
export type CommandHandler = (args: readonly string[]) => Promise<number>;

export interface GlobalOptions {
  readonly hosts: readonly string[];
  readonly context: string;
  readonly debug: boolean;
  /** Directory of the client's configuration; empty is the default. */
  readonly configDir: string;
  readonly tls: {
    readonly enabled: boolean;
    readonly verify: boolean;
    readonly caFile: string;
    readonly certFile: string;
    readonly keyFile: string;
  };
}
