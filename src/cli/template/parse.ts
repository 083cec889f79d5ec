import type { BranchNode, Command, Node, Operand, Pipe, TemplateTree } from './ast.ts';
import { TemplateSyntaxError } from './errors.ts';
import { lex, type Token } from './lex.ts';
import { parseNumber, unquote } from './literals.ts';

/**
 * Parses a template. `functions` are the names that may be called.
 * @throws TemplateSyntaxError with Go's texts.
 */
export function parseTemplate(source: string, functions: ReadonlySet<string>, name = ''): TemplateTree {
  return new Parser(source, functions, name).run();
}

type Ending = 'eof' | 'end' | 'else';

interface List {
  readonly nodes: Node[];
  readonly ending: Ending;
}

class Parser {
  readonly #source: string;
  readonly #name: string;
  readonly #functions: ReadonlySet<string>;
  readonly #tokens: readonly Token[];
  readonly #defined = new Map<string, readonly Node[]>();
  #index = 0;
  #variables: string[] = ['$'];
  #rangeDepth = 0;
  /** Open branches and bodies: they may not hold definitions. */
  #nesting = 0;

  constructor(source: string, functions: ReadonlySet<string>, name: string) {
    this.#source = source;
    this.#name = name;
    this.#functions = functions;
    this.#tokens = lex(source, name);
  }

  run(): TemplateTree {
    const { nodes, ending } = this.#list();
    if (ending !== 'eof') throw this.#error(`unexpected {{${ending}}}`);
    return { name: this.#name, source: this.#source, main: nodes, defined: this.#defined };
  }

  /** Nodes up to the end of the text or an `end` or `else` that belongs to somebody above. */
  #list(): List {
    const nodes: Node[] = [];
    for (let token = this.#next(); token.kind !== 'eof'; token = this.#next()) {
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.text });
        continue;
      }
      const ending = this.#ending();
      if (ending) return { nodes, ending };
      const node = this.#action();
      if (node) nodes.push(node);
    }
    return { nodes, ending: 'eof' };
  }

  /** Consumes `end}}`, or `else` alone, if that is next. */
  #ending(): Ending | undefined {
    const { kind, text } = this.#peekNonSpace();
    if (kind !== 'keyword' || (text !== 'end' && text !== 'else')) return undefined;
    this.#nextNonSpace();
    if (text === 'end') this.#expectRight('end');
    return text;
  }

  #action(): Node | undefined {
    const token = this.#peekNonSpace();
    if (token.kind !== 'keyword') {
      return { kind: 'action', pipe: this.#pipe('command', 'right') };
    }
    this.#nextNonSpace();
    switch (token.text) {
      case 'if':
      case 'with':
      case 'range':
        return this.#branch(token.text);
      case 'template':
        return this.#templateCall();
      case 'block':
        return this.#block();
      case 'define':
        if (this.#nesting > 0) throw this.#unexpected(token, 'command');
        this.#define();
        return undefined;
      default:
        return this.#jump(token);
    }
  }

  #jump(token: Token): Node {
    if (token.text !== 'break' && token.text !== 'continue') throw this.#unexpected(token, 'command');
    if (this.#rangeDepth === 0) throw this.#error(`{{${token.text}}} outside {{range}}`);
    this.#expectRight(token.text);
    return { kind: token.text };
  }

  #branch(kind: BranchNode['kind']): BranchNode {
    const scope = this.#variables.length;
    const pipe = this.#pipe(kind, 'right');
    if (kind === 'range') this.#rangeDepth += 1;
    this.#nesting += 1;
    const body = this.#list();
    if (kind === 'range') this.#rangeDepth -= 1;
    const otherwise = body.ending === 'else' ? this.#otherwise(kind) : [];
    this.#nesting -= 1;
    if (body.ending === 'eof') throw this.#error('unexpected EOF');
    this.#variables.length = scope;
    return { kind, pipe, body: body.nodes, otherwise };
  }

  /** After `else`: another condition of the same kind, or the last list. */
  #otherwise(kind: BranchNode['kind']): readonly Node[] {
    const token = this.#peekNonSpace();
    if (token.kind === 'keyword' && token.text === kind && kind !== 'range') {
      this.#nextNonSpace();
      return [this.#branch(kind)];
    }
    this.#expectRight('else');
    const { nodes, ending } = this.#list();
    if (ending === 'else') throw this.#error('expected end; found {{else}}');
    if (ending === 'eof') throw this.#error('unexpected EOF');
    return nodes;
  }

  #templateCall(): Node {
    const { pos } = this.#peekNonSpace();
    const name = this.#templateName('template clause');
    const hasPipe = this.#peekNonSpace().kind !== 'right';
    const pipe = hasPipe ? this.#pipe('template clause', 'right') : undefined;
    if (!hasPipe) this.#nextNonSpace();
    return { kind: 'template', name, pipe, pos };
  }

  #block(): Node {
    const { pos } = this.#peekNonSpace();
    const name = this.#templateName('block clause');
    const pipe = this.#pipe('block clause', 'right');
    this.#defineBody(name);
    return { kind: 'template', name, pipe, pos };
  }

  #define(): void {
    const name = this.#templateName('define clause');
    this.#expectRight('define clause');
    this.#defineBody(name);
  }

  #defineBody(name: string): void {
    const outer = this.#variables;
    this.#variables = ['$'];
    this.#nesting += 1;
    const { nodes, ending } = this.#list();
    this.#nesting -= 1;
    this.#variables = outer;
    if (this.#defined.has(name))
      throw this.#error(`template: multiple definition of template ${JSON.stringify(name)}`);
    if (ending !== 'end')
      throw this.#error(ending === 'eof' ? 'unexpected EOF' : `unexpected {{else}} in define clause`);
    this.#defined.set(name, nodes);
  }

  #templateName(context: string): string {
    const token = this.#nextNonSpace();
    const name = token.kind === 'string' ? unquote(token.text) : undefined;
    if (name === undefined) throw this.#unexpected(token, context);
    return name;
  }

  #pipe(context: string, end: 'right' | ')'): Pipe {
    const start = this.#peekNonSpace();
    const { targets, isAssignment } = this.#targets(context);
    const commands: Command[] = [];
    for (;;) {
      const token = this.#nextNonSpace();
      if (token.kind === end) break;
      if (token.kind === 'right' || token.kind === ')' || token.kind === 'pipe' || token.kind === 'eof') {
        throw this.#unexpected(token, context);
      }
      this.#index -= 1;
      commands.push(this.#command());
    }
    if (commands.length === 0) throw this.#error(`missing value for ${context}`);
    checkPipe(commands, (message) => this.#error(message));
    const text = commands.map((command) => command.text).join(' | ');
    const shown = targets.length > 0 ? `${targets.join(', ')} ${isAssignment ? '=' : ':='} ${text}` : text;
    return { kind: 'pipe', pos: start.pos, text: shown, targets, isAssignment, commands };
  }

  /** `$x :=`, `$x =`, `$i, $x :=`. */
  #targets(context: string): { targets: string[]; isAssignment: boolean } {
    const mark = this.#index;
    const targets: string[] = [];
    for (;;) {
      const variable = this.#nextNonSpace();
      if (variable.kind !== 'variable') break;
      const next = this.#nextNonSpace();
      if (next.kind === ',' && context === 'range' && targets.length === 0) {
        targets.push(variable.text);
        continue;
      }
      if (next.kind !== ':=' && next.kind !== '=') break;
      targets.push(variable.text);
      if (next.kind === ':=') this.#variables.push(...targets);
      return { targets, isAssignment: next.kind === '=' };
    }
    this.#index = mark;
    return { targets: [], isAssignment: false };
  }

  /** Operands up to a pipe sign (consumed) or the end (left). */
  #command(): Command {
    const args: Operand[] = [];
    const { pos } = this.#peekNonSpace();
    for (;;) {
      const operand = this.#operand();
      if (operand) args.push(operand);
      const token = this.#next();
      if (token.kind === 'space') continue;
      if (token.kind === 'right' || token.kind === ')') this.#index -= 1;
      else if (token.kind === 'pipe') break;
      else if (operand || token.kind === 'eof') throw this.#unexpected(token, 'operand');
      else throw this.#unexpected(token, 'command');
      break;
    }
    if (args.length === 0) throw this.#error('empty command');
    return { pos, text: args.map(operandText).join(' '), args };
  }

  #operand(): Operand | undefined {
    const base = this.#term();
    if (!base || this.#peek().kind !== 'field') return base;
    const { pos } = this.#peek();
    const path: string[] = [];
    while (this.#peek().kind === 'field') path.push(this.#next().text.slice(1));
    const text = `${operandText(base)}.${path.join('.')}`;
    if (base.kind === 'field') return { ...base, pos, text, path: [...base.path, ...path] };
    if (base.kind === 'variable') return { ...base, pos, text, path: [...base.path, ...path] };
    if (base.kind === 'literal' || base.kind === 'nil' || base.kind === 'dot')
      throw this.#error(`unexpected . after term ${JSON.stringify(base.text)}`);
    return { kind: 'chain', pos, text, base, path };
  }

  #term(): Operand | undefined {
    const token = this.#nextNonSpace();
    const { pos, text } = token;
    switch (token.kind) {
      case 'identifier':
        if (!this.#functions.has(text)) throw this.#error(`function ${JSON.stringify(text)} not defined`);
        return { kind: 'function', pos, text, name: text };
      case 'dot':
        return { kind: 'dot', pos, text: '.' };
      case 'nil':
        return { kind: 'nil', pos, text };
      case 'variable':
        if (!this.#variables.includes(text)) throw this.#error(`undefined variable ${JSON.stringify(text)}`);
        return { kind: 'variable', pos, text, name: text, path: [] };
      case 'field':
        return { kind: 'field', pos, text, path: [text.slice(1)] };
      case '(':
        return this.#pipe('parenthesized pipeline', ')');
      default:
        return this.#literal(token);
    }
  }

  #literal(token: Token): Operand | undefined {
    const { pos, text, kind } = token;
    if (kind === 'bool') return { kind: 'literal', pos, text, value: text === 'true' };
    if (kind === 'number' || kind === 'char') {
      const value = parseNumber(text);
      if (value === undefined && kind === 'char') throw this.#error(`malformed character constant: ${text}`);
      if (value === undefined) throw this.#error(`illegal number syntax: ${JSON.stringify(text)}`);
      return { kind: 'literal', pos, text, value };
    }
    if (kind === 'string') {
      const value = unquote(text);
      if (value === undefined) throw this.#error('invalid syntax');
      return { kind: 'literal', pos, text, value };
    }
    this.#index -= 1;
    return undefined;
  }

  #expectRight(context: string): void {
    const token = this.#nextNonSpace();
    if (token.kind !== 'right') throw this.#unexpected(token, context);
  }

  #unexpected(token: Token, context: string): TemplateSyntaxError {
    const shown =
      token.kind === 'eof'
        ? 'EOF'
        : token.kind === 'keyword'
          ? `<${token.text}>`
          : JSON.stringify(token.text);
    return this.#error(`unexpected ${shown} in ${context}`);
  }

  #error(message: string): TemplateSyntaxError {
    return new TemplateSyntaxError(
      this.#name,
      this.#tokens[Math.max(0, this.#index - 1)]?.line ?? 1,
      message,
    );
  }

  #next(): Token {
    const token = this.#tokens[this.#index] ?? this.#tokens.at(-1);
    this.#index += 1;
    return token ?? { kind: 'eof', text: '', pos: 0, line: 1 };
  }

  #nextNonSpace(): Token {
    let token = this.#next();
    while (token.kind === 'space') token = this.#next();
    return token;
  }

  #peek(): Token {
    const token = this.#next();
    this.#index -= 1;
    return token;
  }

  #peekNonSpace(): Token {
    while (this.#peek().kind === 'space') this.#index += 1;
    return this.#peek();
  }
}

const operandText = (operand: Operand): string =>
  operand.kind === 'pipe' ? `(${operand.text})` : operand.text;

/** Only a call may receive a piped value. */
function checkPipe(commands: readonly Command[], error: (message: string) => Error): void {
  for (const [index, { args }] of commands.entries()) {
    const [first] = args;
    if (index > 0 && first && ['literal', 'nil', 'dot'].includes(first.kind)) {
      throw error(`non executable command in pipeline stage ${index + 1}`);
    }
  }
}
