/** What a text must be: exactly this, or matching. */
export type Wanted = string | RegExp;

/** A command line and what it must print on standard output, blanks at the ends aside. */
export type Check = readonly [line: string, wanted: Wanted];

/**
 * One use of flags, and the effect that proves them. Every line starts without the program's name. In lines, {name} is a
 * container name of this scenario alone, {shared} a running container of the file, {dir} a directory, {disk} a block
 * device, {soon} a second from now.
 */
export interface Scenario {
  /** The command under proof. Its flags are read from here. */
  readonly line: string;
  readonly before?: readonly string[];
  readonly prints?: Wanted;
  readonly complains?: Wanted;
  /** Exit code; default 0. */
  readonly code?: number;
  readonly stdin?: string;
  /** Run in a terminal: what is awaited and what is typed, in turns, beginning with what is awaited. */
  readonly terminal?: readonly string[];
  /** Questions asked afterwards. */
  readonly after?: readonly Check[];
  /** Run in a shell on this machine afterwards, in {dir}. */
  readonly here?: readonly Check[];
  /** Clients without one of these flags: `modern` is docker 28, `own` is nobody but us. */
  readonly since?: 'modern' | 'own';
  /** Only where the machine has it. */
  readonly needs?: 'cgroup v1';
}

/** Flags of `create`, which `run` has as well: proven by what inspect says, and by what a container sees. */
export interface CreateScenario {
  readonly flags: string;
  /** A template and its output, from `create`. */
  readonly inspect?: readonly [template: string, wanted: Wanted];
  /** A shell script and its output, from `run --rm`. */
  readonly sees?: readonly [script: string, wanted: Wanted];
  /** The script is of use only here. */
  readonly needs?: 'cgroup v1';
  /** The engine or the client says no: exit code of `run`, and the text. */
  readonly refused?: readonly [code: number, text: RegExp];
  readonly before?: readonly string[];
  readonly since?: 'modern' | 'own';
}
