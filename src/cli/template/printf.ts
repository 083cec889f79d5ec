import { convert, type Directive } from './printf-verbs.ts';
import { printValue, typeName } from './values.ts';

/** Greatest width and precision. Source: Go's fmt. */
const MAX_MEASURE = 1e6;

/** `fmt.Sprintf` for the values that templates have. Mistakes show as Go shows them: `%!d(string=x)`. */
export function sprintf(format: string, args: readonly unknown[]): string {
  return new Printer(format, args).run();
}

/** Walks through a format. Follows Go's doPrintf, whose treatment of mistakes is part of what scripts see. */
class Printer {
  readonly #format: string;
  readonly #args: readonly unknown[];
  #at = 0;
  #next = 0;
  /** Somebody asked for arguments by number: then none is left over. */
  #reordered = false;
  /** What was asked for by number is there. */
  #goodIndex = true;
  /** A number has just been given: no other one may follow. */
  #afterIndex = false;

  constructor(format: string, args: readonly unknown[]) {
    this.#format = format;
    this.#args = args;
  }

  run(): string {
    let text = '';
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf('%', this.#at);
      const end = percent < 0 ? this.#format.length : percent;
      text += this.#format.slice(this.#at, end);
      this.#at = end + 1;
      if (percent >= 0) text += this.#directive();
    }
    if (this.#reordered || this.#next >= this.#args.length) return text;
    const extra = this.#args
      .slice(this.#next)
      .map((value) => (value == null ? '<nil>' : `${typeName(value)}=${printValue(value)}`));
    return `${text}%!(EXTRA ${extra.join(', ')})`;
  }

  #directive(): string {
    this.#goodIndex = true;
    this.#afterIndex = false;
    const flags = this.#take(/[-+# 0]*/y);
    this.#index();
    const width = this.#measure(/\*|\d+/y, 'WIDTH');
    if (this.#afterIndex && width.value !== undefined && !width.isArgument) this.#goodIndex = false;
    const precision = this.#precision();
    if (!this.#afterIndex) this.#index();
    const complaints = width.complaint + precision.complaint;
    if (this.#at >= this.#format.length) return `${complaints}%!(NOVERB)`;
    const verb = String.fromCodePoint(this.#format.codePointAt(this.#at) ?? 0);
    this.#at += verb.length;
    const isLeft = flags.includes('-') || (width.value ?? 0) < 0;
    const given = { isLeft, width: Math.abs(width.value ?? 0), precision: precision.value };
    return complaints + this.#verb(verb, { flags, ...given });
  }

  #verb(verb: string, directive: Directive): string {
    if (verb === '%') return '%';
    if (!this.#goodIndex) return `%!${verb}(BADINDEX)`;
    if (this.#next >= this.#args.length) return `%!${verb}(MISSING)`;
    const value = this.#args[this.#next];
    this.#next += 1;
    return convert(verb, value, directive);
  }

  /** `[2]`: the number of the next argument. */
  #index(): void {
    if (this.#format[this.#at] !== '[') return;
    this.#reordered = true;
    const text = this.#take(/\[[^\]]*\]/y);
    // Without an end there is nothing but the bracket to skip.
    if (text === '') this.#at += 1;
    const number = /^\[(\d+)\]$/.exec(text)?.[1];
    const index = number === undefined ? 0 : Number(number);
    this.#afterIndex = index >= 1 && index <= this.#args.length;
    if (this.#afterIndex) this.#next = index - 1;
    else this.#goodIndex = false;
  }

  #precision(): { value: number | undefined; complaint: string } {
    if (this.#format[this.#at] !== '.') return { value: undefined, complaint: '' };
    this.#at += 1;
    if (this.#afterIndex) this.#goodIndex = false;
    this.#index();
    const { value, complaint, isArgument } = this.#measure(/\*|\d+/y, 'PREC');
    if (!isArgument) return { value: value ?? 0, complaint };
    // A negative one counts as not given.
    return { value: value !== undefined && value >= 0 ? value : undefined, complaint };
  }

  /** Digits, or `*` for the next argument. */
  #measure(
    pattern: RegExp,
    what: 'WIDTH' | 'PREC',
  ): { value: number | undefined; complaint: string; isArgument: boolean } {
    const text = this.#take(pattern);
    if (text !== '*') return { value: this.#literal(text), complaint: '', isArgument: false };
    const value = this.#args[this.#next];
    if (this.#next < this.#args.length) this.#next += 1;
    this.#afterIndex = false;
    const isGood = typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= MAX_MEASURE;
    const isRefused = !isGood || (what === 'PREC' && value < 0);
    return {
      value: isGood ? value : undefined,
      complaint: isRefused ? `%!(BAD${what})` : '',
      isArgument: true,
    };
  }

  /** What is too large ends the format, as Go has it. */
  #literal(text: string): number | undefined {
    if (text === '') return undefined;
    // It is looked at before the last digit.
    if (Number(text.slice(0, -1)) <= MAX_MEASURE) return Number(text);
    this.#at = this.#format.length;
    return undefined;
  }

  /** What `pattern` (sticky) matches here; empty when it does not. */
  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const text = pattern.exec(this.#format)?.[0] ?? '';
    this.#at += text.length;
    return text;
  }
}
