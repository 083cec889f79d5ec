import { errorMessage } from '#base';
import { usageError } from '../core/errors.ts';
import type { FlagSpec, FlagSpecs } from './spec.ts';
import { createSlot, type FlagSlot } from './values.ts';

export interface ParsedFlags {
  /** One value for each flag of the table. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Long names of the flags that were given. */
  readonly changed: ReadonlySet<string>;
  readonly positional: readonly string[];
  /** `--help` was given (or `-h`, where the table has no such shorthand). Parsing stopped there. */
  readonly help: boolean;
}

export interface ParseOptions {
  /** Whether flags are still flags after the first positional argument. Default true. */
  readonly interspersed?: boolean;
}

/**
 * Parses a command line in pflag's grammar: `--name=value`, `--name value`, `--bool[=value]`, `-abc`, `-nvalue`,
 * `-n=value`, `-n value`, and `--` as the end of flags.
 * @throws a usage error (exit code 125) with pflag's texts.
 */
export function parseFlags(
  args: readonly string[],
  specs: FlagSpecs,
  options: ParseOptions = {},
): ParsedFlags {
  const parser = new FlagParser(specs);
  parser.run([...args], options.interspersed ?? true);
  return parser.result();
}

class FlagParser {
  readonly #specs: FlagSpecs;
  readonly #byShort: ReadonlyMap<string, string>;
  readonly #slots = new Map<string, FlagSlot>();
  readonly #changed = new Set<string>();
  readonly #positional: string[] = [];
  #help = false;

  constructor(specs: FlagSpecs) {
    this.#specs = specs;
    this.#byShort = new Map(
      Object.entries(specs).flatMap(([name, { short }]) => (short === undefined ? [] : [[short, name]])),
    );
  }

  run(queue: string[], interspersed: boolean): void {
    for (let arg = queue.shift(); arg !== undefined && !this.#help; arg = queue.shift()) {
      if (arg === '--') {
        this.#positional.push(...queue);
        return;
      }
      if (!arg.startsWith('-') || arg === '-') {
        this.#positional.push(arg);
        if (!interspersed) {
          this.#positional.push(...queue);
          return;
        }
      } else if (arg.startsWith('--')) this.#long(arg, queue);
      else this.#shorts(arg, queue);
    }
  }

  result(): ParsedFlags {
    const values: Record<string, unknown> = {};
    for (const [name, spec] of Object.entries(this.#specs)) {
      values[name] = (this.#slots.get(name) ?? createSlot(spec)).get();
    }
    return { values, changed: this.#changed, positional: this.#positional, help: this.#help };
  }

  #long(arg: string, queue: string[]): void {
    const equals = arg.indexOf('=');
    const name = equals < 0 ? arg.slice(2) : arg.slice(2, equals);
    if (name === '' || name.startsWith('-')) throw usageError(`bad flag syntax: ${arg}`);
    const spec = Object.hasOwn(this.#specs, name) ? this.#specs[name] : undefined;
    if (name === 'help' && equals < 0) this.#help = true;
    else if (!spec) throw usageError(`unknown flag: --${name}`);
    else if (equals >= 0) this.#set(name, spec, arg.slice(equals + 1));
    else if (spec.type === 'bool') this.#set(name, spec, 'true');
    else this.#set(name, spec, takeArgument(queue, `--${name}`));
  }

  #shorts(arg: string, queue: string[]): void {
    for (let rest = arg.slice(1); rest !== '' && !this.#help; ) rest = this.#short(rest, queue);
  }

  /** Handles the first letter of `rest`; answers what is left of the group. */
  #short(rest: string, queue: string[]): string {
    const letter = rest[0] ?? '';
    const name = this.#byShort.get(letter);
    const spec = name === undefined ? undefined : this.#specs[name];
    if (name === undefined || !spec) {
      if (letter !== 'h') throw usageError(`unknown shorthand flag: '${letter}' in -${rest}`);
      this.#help = true;
      return '';
    }
    if (rest.length > 2 && rest[1] === '=') this.#set(name, spec, rest.slice(2));
    else if (spec.type === 'bool') {
      this.#set(name, spec, 'true');
      return rest.slice(1);
    } else if (rest.length > 1) this.#set(name, spec, rest.slice(1));
    else this.#set(name, spec, takeArgument(queue, `'${letter}' in -${rest}`));
    return '';
  }

  #set(name: string, spec: FlagSpec, text: string): void {
    let slot = this.#slots.get(name);
    if (!slot) {
      slot = createSlot(spec);
      this.#slots.set(name, slot);
    }
    try {
      slot.set(text);
    } catch (error) {
      const shown = spec.short === undefined ? `--${name}` : `-${spec.short}, --${name}`;
      throw usageError(
        `invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${errorMessage(error)}`,
      );
    }
    this.#changed.add(name);
  }
}

function takeArgument(queue: string[], shown: string): string {
  const value = queue.shift();
  if (value === undefined) throw usageError(`flag needs an argument: ${shown}`);
  return value;
}
