/**
 * One flag as data. Grammar, help, completion and reference pages all come from it.
 * Types follow pflag's: what a value looks like, how often it may be given, what the command receives.
 */
export interface FlagSpec {
  readonly type: FlagType;
  readonly short?: string;
  readonly summary: string;
  /** In the notation of the command line. Default: the type's zero. */
  readonly default?: string;
  /** Shown in help instead of the type's own name (`network`, `filter`, `ulimit`). */
  readonly typeName?: string;
  /** Checks one value and may normalise it. Throws an error whose message completes `invalid argument "x" for …`. */
  readonly validate?: (value: string) => string;
  /** Not in help, still understood. */
  readonly hidden?: boolean;
  /** Understood, but refused here: it belongs to an engine on another system, or to one with experimental features. */
  readonly onlyOn?: 'windows' | 'experimental';
}

export type FlagType =
  | 'bool'
  | 'string'
  /** Any number of times. */
  | 'list'
  /** Any number of times, comma-separated (CSV). */
  | 'stringSlice'
  | 'int'
  | 'int64'
  | 'uint16'
  | 'uint64'
  /** `64m`, as bytes. */
  | 'bytes'
  /** As `bytes`, and -1. */
  | 'memswap'
  /** `1.5`, as billionths. */
  | 'decimal'
  /** `1m30s`, as nanoseconds. */
  | 'duration'
  /** `key=value`, any number of times. */
  | 'map'
  /** `name=value`, any number of times, alternatives by name. */
  | 'filter';

interface ValueByType {
  bool: boolean;
  string: string;
  list: readonly string[];
  stringSlice: readonly string[];
  int: number;
  int64: number;
  uint16: number;
  uint64: number;
  bytes: number;
  memswap: number;
  decimal: number;
  duration: number;
  map: Readonly<Record<string, string>>;
  filter: Readonly<Record<string, readonly string[]>>;
}

export type FlagSpecs = Readonly<Record<string, FlagSpec>>;

/** What a command receives: one typed value for each flag, by its long name. */
export type FlagValues<F extends FlagSpecs> = { readonly [K in keyof F]: ValueByType[F[K]['type']] };

/** Keeps the literal types of a flag table, so that {@link FlagValues} can tell them apart. */
export const defineFlags = <const F extends FlagSpecs>(flags: F): F => flags;
