import type { WholeFloat } from './values.ts';

/** The tree of a template. `pos` is the offset that Go's error messages point at. */
export type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'action'; readonly pipe: Pipe }
  | BranchNode
  | {
      readonly kind: 'template';
      readonly name: string;
      readonly pipe: Pipe | undefined;
      readonly pos: number;
    }
  | { readonly kind: 'break' }
  | { readonly kind: 'continue' };

export interface BranchNode {
  readonly kind: 'if' | 'with' | 'range';
  readonly pipe: Pipe;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

export interface Pipe {
  readonly kind: 'pipe';
  readonly pos: number;
  readonly text: string;
  /** Variables it declares or sets. */
  readonly targets: readonly string[];
  readonly isAssignment: boolean;
  readonly commands: readonly Command[];
}

export interface Command {
  readonly pos: number;
  readonly text: string;
  readonly args: readonly Operand[];
}

export type Operand =
  | { readonly kind: 'dot'; readonly pos: number; readonly text: string }
  | { readonly kind: 'nil'; readonly pos: number; readonly text: string }
  | {
      readonly kind: 'literal';
      readonly pos: number;
      readonly text: string;
      readonly value: string | number | bigint | boolean | WholeFloat;
    }
  | { readonly kind: 'field'; readonly pos: number; readonly text: string; readonly path: readonly string[] }
  | {
      readonly kind: 'variable';
      readonly pos: number;
      readonly text: string;
      readonly name: string;
      readonly path: readonly string[];
    }
  | { readonly kind: 'function'; readonly pos: number; readonly text: string; readonly name: string }
  | {
      readonly kind: 'chain';
      readonly pos: number;
      readonly text: string;
      readonly base: Operand;
      readonly path: readonly string[];
    }
  | Pipe;

/** A parsed template: its main body and those it defines, by name. */
export interface TemplateTree {
  readonly name: string;
  readonly source: string;
  readonly main: readonly Node[];
  readonly defined: ReadonlyMap<string, readonly Node[]>;
}
