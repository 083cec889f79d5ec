import { invalidArgument } from '#base';

/** Typed access to an object of a CDI spec file. Every reader throws `invalid_argument` for another type. */
export class CdiFields {
  readonly #fields: Readonly<Record<string, unknown>>;

  /** @throws when it is no object, or has a field beside `known`. */
  constructor(value: unknown, what: string, known: readonly string[]) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw invalidArgument(`${what} is not an object`);
    }
    const unknown = Object.keys(value).find((name) => !known.includes(name));
    if (unknown !== undefined) throw invalidArgument(`${what}: unknown field ${JSON.stringify(unknown)}`);
    this.#fields = value as Readonly<Record<string, unknown>>;
  }

  /** As it was read. */
  get all(): Readonly<Record<string, unknown>> {
    return this.#fields;
  }

  has(name: string): boolean {
    return (this.#fields[name] ?? undefined) !== undefined;
  }

  raw(name: string): unknown {
    return this.#fields[name];
  }

  text(name: string): string {
    return text(this.#fields[name], name);
  }

  /** Empty is as good as none. */
  optionalText(name: string): string | undefined {
    return this.has(name) && this.#fields[name] !== '' ? this.text(name) : undefined;
  }

  choice<T extends string>(name: string, among: readonly T[]): T | undefined {
    const given = this.optionalText(name);
    if (given === undefined) return undefined;
    const found = among.find((value) => value === given);
    if (found === undefined) throw invalidArgument(`invalid ${name} ${JSON.stringify(given)}`);
    return found;
  }

  optionalNumber(name: string): number | undefined {
    return this.has(name) ? number(this.#fields[name], name) : undefined;
  }

  list(name: string): readonly unknown[] {
    const value = this.#fields[name] ?? [];
    if (Array.isArray(value)) return value;
    throw invalidArgument(`${name} is not a list`);
  }

  texts(name: string): string[] {
    return this.list(name).map((entry) => text(entry, name));
  }

  numbers(name: string): number[] {
    return this.list(name).map((entry) => number(entry, name));
  }
}

function text(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw invalidArgument(`${what} is not a text`);
}

function number(value: unknown, what: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return value;
  throw invalidArgument(`${what} is not a number`);
}
