import { cliError } from '../core/errors.ts';

/** A template that cannot be parsed. Text: Go's text/template. */
export class TemplateSyntaxError extends Error {
  override readonly name = 'TemplateSyntaxError';
  constructor(name: string, line: number, message: string) {
    super(`template: ${name}:${line}: ${message}`);
  }
}

/** A template that failed while it ran. Text: Go's text/template. */
export class TemplateExecError extends Error {
  override readonly name = 'TemplateExecError';
}

/** Raised by a function or a lookup; the executor adds where it happened. */
export class EvalFailure extends Error {
  override readonly name = 'EvalFailure';
}

/** A function got a value of the wrong type; the message points at that argument. */
export class ArgumentMismatch extends EvalFailure {
  readonly index: number;
  /** Go's name of the type that the argument should have. */
  readonly wanted: string;
  constructor(index: number, wanted: string, got: string) {
    super(`wrong type for value; expected ${wanted}; got ${got}`);
    this.index = index;
    this.wanted = wanted;
  }
}

/** What Go says of a literal in the place of an argument of another type. */
export function literalMismatch(wanted: string, text: string): string {
  if (wanted.startsWith('[]')) return `can't handle ${text} for arg of type ${wanted}`;
  return `expected ${wanted === 'int' ? 'integer' : wanted}; found ${text}`;
}

/** What the command shows. */
export const templateParsing = (error: unknown) =>
  cliError(`template parsing error: ${error instanceof Error ? error.message : error}`, { cause: error });
