import type { BranchNode, Command, Node, Operand, Pipe, TemplateTree } from './ast.ts';
import { ArgumentMismatch, EvalFailure, literalMismatch, TemplateExecError } from './errors.ts';
import { ARGUMENTS, type TemplateFunction } from './functions.ts';
import { type LookupOptions, lookupField } from './lookup.ts';
import { isMap, isTruthy, printValue, sortedEntries, typeName } from './values.ts';

export interface ExecOptions extends LookupOptions {
  readonly functions: Readonly<Record<string, TemplateFunction>>;
}

type Jump = 'break' | 'continue' | undefined;

const MAX_TEMPLATE_DEPTH = 1000;
/** Characters. Nobody reads more; a range that is too long ends before the memory does. */
const MAX_OUTPUT = 2 ** 28;

/** Runs a template on `data`. @throws TemplateExecError with Go's texts. */
export function execTemplate(tree: TemplateTree, data: unknown, options: ExecOptions): string {
  return new Executor(tree, options).run(data);
}

/** One after the other: a count may be huge. */
function* counting(count: number): Iterable<readonly [number, number]> {
  for (let index = 0; index < count; index += 1) yield [index, index];
}

class Executor {
  readonly #tree: TemplateTree;
  readonly #options: ExecOptions;
  readonly #output: string[] = [];
  #variables: { name: string; value: unknown }[] = [];
  /** Name of the template that runs, for messages. */
  #running: string;
  #length = 0;
  #depth = 0;
  /** What is being evaluated, for messages. */
  #at: { readonly pos: number; readonly text: string } = { pos: 0, text: '' };

  constructor(tree: TemplateTree, options: ExecOptions) {
    this.#tree = tree;
    this.#options = options;
    this.#running = tree.name;
  }

  run(data: unknown): string {
    this.#variables = [{ name: '$', value: data }];
    this.#list(this.#tree.main, data);
    return this.#output.join('');
  }

  #list(nodes: readonly Node[], dot: unknown): Jump {
    for (const node of nodes) {
      const jump = this.#node(node, dot);
      if (jump) return jump;
    }
    return undefined;
  }

  #node(node: Node, dot: unknown): Jump {
    switch (node.kind) {
      case 'text':
        this.#write(node.text);
        return undefined;
      case 'action': {
        const value = this.#pipe(node.pipe, dot);
        if (node.pipe.targets.length === 0) this.#write(printValue(value));
        return undefined;
      }
      case 'template':
        this.#template(node.name, node.pipe, node.pos, dot);
        return undefined;
      case 'break':
      case 'continue':
        return node.kind;
      default:
        return this.#branch(node, dot);
    }
  }

  #write(text: string): void {
    this.#length += text.length;
    if (this.#length > MAX_OUTPUT) throw this.#error('output too long');
    this.#output.push(text);
  }

  #branch(node: BranchNode, dot: unknown): Jump {
    const scope = this.#variables.length;
    try {
      if (node.kind === 'range') return this.#range(node, dot);
      const value = this.#pipe(node.pipe, dot);
      if (!isTruthy(value)) return this.#list(node.otherwise, dot);
      return this.#list(node.body, node.kind === 'with' ? value : dot);
    } finally {
      this.#variables.length = scope;
    }
  }

  #range(node: BranchNode, dot: unknown): undefined | Jump {
    const value = this.#pipe({ ...node.pipe, targets: [] }, dot);
    const isCount = typeof value === 'number' && Number.isInteger(value);
    if (isCount && node.pipe.targets.length > 1)
      throw this.#error(`can't use ${value} to iterate over more than one variable`);
    const scope = this.#variables.length;
    let isEmpty = true;
    for (const [key, item] of isCount ? counting(value) : this.#entries(value)) {
      isEmpty = false;
      this.#bindRange(node.pipe, key, item);
      const jump = this.#list(node.body, item);
      this.#variables.length = scope;
      if (jump === 'break') break;
    }
    return isEmpty ? this.#list(node.otherwise, dot) : undefined;
  }

  #bindRange({ targets, isAssignment }: Pipe, key: unknown, item: unknown): void {
    const values = targets.length === 2 ? [key, item] : [item];
    for (const [index, name] of targets.entries()) this.#set(name, values[index], isAssignment);
  }

  #entries(value: unknown): readonly (readonly [unknown, unknown])[] {
    if (Array.isArray(value)) return value.map((item, index) => [index, item]);
    if (isMap(value)) return sortedEntries(value);
    if (value === null || value === undefined) return [];
    throw this.#error(`range can't iterate over ${printValue(value)}`);
  }

  #template(name: string, pipe: Pipe | undefined, pos: number, dot: unknown): void {
    const body = this.#tree.defined.get(name);
    const argument = pipe ? ` ${pipe.text}` : '';
    this.#at = { pos, text: `{{template ${JSON.stringify(name)}${argument}}}` };
    if (!body) throw this.#error(`template ${JSON.stringify(name)} not defined`);
    if (this.#depth >= MAX_TEMPLATE_DEPTH)
      throw this.#error(`exceeded maximum template depth (${MAX_TEMPLATE_DEPTH})`);
    const data = pipe ? this.#pipe(pipe, dot) : undefined;
    const outer = this.#variables;
    this.#variables = [{ name: '$', value: data }];
    const caller = this.#running;
    this.#running = name;
    this.#depth += 1;
    this.#list(body, data);
    this.#depth -= 1;
    this.#running = caller;
    this.#variables = outer;
  }

  #pipe(pipe: Pipe, dot: unknown): unknown {
    let value: unknown;
    for (const [index, command] of pipe.commands.entries()) {
      value = this.#command(command, dot, index === 0 ? [] : [value]);
    }
    for (const name of pipe.targets) this.#set(name, value, pipe.isAssignment);
    return value;
  }

  #set(name: string, value: unknown, isAssignment: boolean): void {
    const existing = isAssignment
      ? this.#variables.findLast((variable) => variable.name === name)
      : undefined;
    if (existing) existing.value = value;
    else if (isAssignment) throw this.#error(`undefined variable: ${name}`);
    else this.#variables.push({ name, value });
  }

  /** `piped` is empty or holds the value of the stage before. */
  #command(command: Command, dot: unknown, piped: readonly unknown[]): unknown {
    const [first, ...rest] = command.args;
    if (!first) return undefined;
    if (first.kind === 'function') return this.#call(first.name, command, rest, dot, piped);
    const args = () => [...rest.map((operand) => this.#operand(operand, dot)), ...piped];
    if (first.kind === 'field' || first.kind === 'variable' || first.kind === 'chain') {
      return this.#reference(first, dot, args(), rest);
    }
    this.#at = first;
    if (first.kind === 'nil') throw this.#error('nil is not a command');
    if ((rest.length > 0 || piped.length > 0) && first.kind !== 'pipe')
      throw this.#error(`can't give argument to non-function ${first.text}`);
    return this.#operand(first, dot);
  }

  #call(
    name: string,
    command: Command,
    rest: readonly Operand[],
    dot: unknown,
    piped: readonly unknown[],
  ): unknown {
    this.#checkCount(name, command, rest.length + piped.length);
    if (name === 'and' || name === 'or') return this.#shortCircuit(name, rest, dot, piped);
    if (name === 'call' && rest[0]) {
      const type = typeName(this.#operand(rest[0], dot));
      this.#at = command;
      throw this.#error(`error calling call: non-function ${rest[0].text} of type ${type}`);
    }
    const args = [...rest.map((operand) => this.#operand(operand, dot)), ...piped];
    this.#at = command;
    try {
      return this.#options.functions[name]?.(...args);
    } catch (error) {
      if (error instanceof ArgumentMismatch) {
        this.#at = command;
        throw this.#mismatch(error, rest[error.index]);
      }
      if (error instanceof EvalFailure) throw this.#error(`error calling ${name}: ${error.message}`);
      throw error;
    }
  }

  /** The message points at the argument, where it can be pointed at. */
  #mismatch(error: ArgumentMismatch, operand: Operand | undefined): TemplateExecError {
    if (operand) this.#at = operand;
    const isLiteral = operand?.kind === 'literal';
    return this.#error(isLiteral ? literalMismatch(error.wanted, operand.text) : error.message);
  }

  #checkCount(name: string, { pos }: Command, count: number): void {
    const [min, max] = ARGUMENTS[name] ?? [0, Number.POSITIVE_INFINITY];
    if (count >= min && count <= max) return;
    this.#at = { pos, text: name };
    const want = min === max ? `${min}` : `at least ${min}`;
    throw this.#error(`wrong number of args for ${name}: want ${want} got ${count}`);
  }

  #shortCircuit(
    name: 'and' | 'or',
    rest: readonly Operand[],
    dot: unknown,
    piped: readonly unknown[],
  ): unknown {
    let value: unknown;
    for (const operand of rest) {
      value = this.#operand(operand, dot);
      if (isTruthy(value) === (name === 'or')) return value;
    }
    return piped.length > 0 ? piped[0] : value;
  }

  #operand(operand: Operand, dot: unknown): unknown {
    switch (operand.kind) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'literal':
        return operand.value;
      case 'pipe':
        return this.#pipe(operand, dot);
      case 'function':
        return this.#call(
          operand.name,
          { pos: operand.pos, text: operand.text, args: [operand] },
          [],
          dot,
          [],
        );
      default:
        return this.#reference(operand, dot, []);
    }
  }

  #reference(
    operand: Extract<Operand, { path: readonly string[] }>,
    dot: unknown,
    args: readonly unknown[],
    operands: readonly Operand[] = [],
  ): unknown {
    let value = this.#base(operand, dot);
    if (operand.kind === 'chain' && value === undefined && this.#options.missingKey === 'empty')
      throw this.#error(`nil pointer evaluating interface {}.${operand.path[0]}`);
    let from = '';
    for (const [index, name] of operand.path.entries()) {
      this.#at = operand;
      const isLast = index === operand.path.length - 1;
      try {
        value = lookupField(value, name, { ...this.#options, from, args: isLast ? args : [] });
      } catch (error) {
        if (error instanceof ArgumentMismatch) throw this.#mismatch(error, operands[error.index]);
        if (error instanceof EvalFailure) throw this.#error(error.message);
        throw error;
      }
      from = name;
    }
    if (operand.path.length === 0 && args.length > 0)
      throw this.#error(`can't give argument to non-function ${operand.text}`);
    return value;
  }

  #base(operand: Extract<Operand, { path: readonly string[] }>, dot: unknown): unknown {
    if (operand.kind === 'field') return dot;
    if (operand.kind === 'chain') return this.#operand(operand.base, dot);
    return this.#variables.findLast(({ name }) => name === operand.name)?.value;
  }

  #error(message: string): TemplateExecError {
    const before = this.#tree.source.slice(0, this.#at.pos);
    const line = before.split('\n').length;
    const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1));
    const { text } = this.#at;
    const { name } = this.#tree;
    return new TemplateExecError(
      `template: ${name}:${line}:${column}: executing ${JSON.stringify(this.#running)} at <${text}>: ${message}`,
    );
  }
}
