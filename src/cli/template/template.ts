import type { TemplateTree } from './ast.ts';
import { execTemplate } from './exec.ts';
import { BUILTINS, DOCKER_FUNCTIONS, HEADER_FUNCTIONS } from './functions.ts';
import type { LookupOptions } from './lookup.ts';
import { parseTemplate } from './parse.ts';

/** A template ready to run on any number of values. */
export interface Template {
  /** @throws TemplateExecError with Go's texts. */
  run(data: unknown, options?: Partial<LookupOptions>): string;
  /** Runs it to make a table's header: functions leave the column names alone. Empty where that does not work. */
  runHeader(columns: Readonly<Record<string, string>>): string;
}

/**
 * Compiles a template in Go's text/template language, with docker's functions. `name` shows in error messages.
 * @throws TemplateSyntaxError with Go's texts.
 */
export function compileTemplate(source: string, name = ''): Template {
  const functions = { ...BUILTINS, ...DOCKER_FUNCTIONS };
  const tree: TemplateTree = parseTemplate(source, new Set(Object.keys(functions)), name);
  return {
    run: (data, options) => execTemplate(tree, data, { missingKey: 'empty', ...options, functions }),
    runHeader: (columns) => {
      const headerFunctions = { ...functions, ...HEADER_FUNCTIONS };
      try {
        return execTemplate(tree, headerOf(columns), { missingKey: 'empty', functions: headerFunctions });
      } catch {
        return '';
      }
    },
  };
}

/** The columns' names, with the header that docker makes of a label: its last part, in words. */
const headerOf = (columns: Readonly<Record<string, string>>) => ({
  ...columns,
  Label: (name: string) => (name.split('.').at(-1) ?? '').replaceAll(/[-_]/g, ' '),
});
