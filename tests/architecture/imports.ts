import { Glob } from 'bun';

/** One import statement (static, dynamic or re-export) of one file. */
export interface ImportEdge {
  readonly file: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const STATEMENT = /^\s*(import|export)(\s+type)?\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"]+)['"]/gm;
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** All imports in `source`. A statement counts as type-only when it says `import type` or `export type`. */
export function findImports(file: string, source: string): ImportEdge[] {
  const statements = [...source.matchAll(STATEMENT)].map(([, , type, specifier]) => ({
    file,
    specifier: specifier ?? '',
    typeOnly: type !== undefined,
  }));
  const dynamic = [...source.matchAll(DYNAMIC)].map(([, specifier]) => ({
    file,
    specifier: specifier ?? '',
    typeOnly: false,
  }));
  return [...statements, ...dynamic];
}

/** Every import edge of the TypeScript files below `root` that match `pattern`. */
export async function collectImports(root: string, pattern: string): Promise<ImportEdge[]> {
  const files = await Array.fromAsync(new Glob(pattern).scan({ cwd: root }));
  const edges = await Promise.all(
    files.sort().map(async (file) => findImports(file, await Bun.file(`${root}/${file}`).text())),
  );
  return edges.flat();
}
