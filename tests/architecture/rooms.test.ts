import { describe, expect, test } from 'bun:test';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectImports, findImports } from './imports.ts';
import { ROOMS } from './rooms.ts';
import { violation } from './rules.ts';

const ROOT = join(import.meta.dir, '../..');
const MAX_README_LINES = 40;
const rooms = readdirSync(join(ROOT, 'src'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

describe('room table', () => {
  test('no import crosses a forbidden edge or passes a door', async () => {
    const edges = await collectImports(ROOT, 'src/**/*.ts');
    expect(edges.length).toBeGreaterThan(100);
    expect(edges.map((edge) => violation(edge)).filter(Boolean)).toEqual([]);
  });

  test('nothing imports the roof', async () => {
    const edges = await collectImports(ROOT, 'src/**/*.ts');
    expect(edges.filter(({ specifier }) => specifier.includes('/cmd/'))).toEqual([]);
  });

  test.each(rooms)('%s has a table row, a door and a short README', (room) => {
    expect(Object.keys(ROOMS)).toContain(room);
    expect(existsSync(join(ROOT, 'src', room, 'index.ts'))).toBe(true);
    const readme = readFileSync(join(ROOT, 'src', room, 'README.md'), 'utf8');
    expect(readme.trimEnd().split('\n').length).toBeLessThanOrEqual(MAX_README_LINES);
  });
});

describe('the rules themselves', () => {
  const edge = (file: string, specifier: string, typeOnly = false) => ({ file, specifier, typeOnly });

  test('`violation`: a forbidden room, a back door and a test door are found', () => {
    expect(violation(edge('src/oci/a.ts', '#store'))).toContain('may not import');
    expect(violation(edge('src/oci/a.ts', '../base/ids.ts'))).toContain('past its door');
    expect(violation(edge('src/store/a.ts', '#sys/testing'))).toContain('for tests only');
    expect(violation(edge('src/nowhere/a.ts', '#base'))).toContain('not in the room table');
  });

  test('`violation`: allowed edges and type-only edges pass', () => {
    expect(violation(edge('src/store/a.ts', '#sys'))).toBeUndefined();
    expect(violation(edge('src/store/a.test.ts', '#sys/testing'))).toBeUndefined();
    expect(violation(edge('src/server/a.ts', '#containers', true))).toBeUndefined();
    expect(violation(edge('src/server/a.ts', '#containers'))).toContain('may not import');
  });

  test('`findImports`: static, type, re-export, side effect and dynamic forms are seen', () => {
    const source = [
      "import { a } from '#a';",
      "import type { b } from '#b';",
      "export * from '#c';",
      "import '#d';",
      "const e = await import('#e');",
      "import {\n  f,\n} from '#f';",
    ].join('\n');
    const found = findImports('x.ts', source);
    expect(found.map(({ specifier }) => specifier).sort()).toEqual(['#a', '#b', '#c', '#d', '#e', '#f']);
    expect(found.find(({ specifier }) => specifier === '#b')?.typeOnly).toBe(true);
  });
});
