import { expect } from 'bun:test';

/**
 * Compares `actual` with the file. `GANTRY_UPDATE_GOLDENS=1` writes the file instead: look at the difference before
 * committing it.
 */
export async function expectGolden(path: string, actual: string): Promise<void> {
  if (process.env['GANTRY_UPDATE_GOLDENS'] === '1') await Bun.write(path, actual);
  const file = Bun.file(path);
  expect(await file.exists(), `${path} is missing; run with GANTRY_UPDATE_GOLDENS=1`).toBe(true);
  expect(actual).toBe(await file.text());
}
