import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Growth, readGrowing } from './growing-file.ts';

let dir = '';
let path = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'gantry-growing-'));
  path = join(dir, 'file');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Reads to the end; `onPiece` sees what there is so far, as the thread that writes does. */
function readAll(growth: Growth, onPiece: (text: string) => void = () => {}): string {
  let text = '';
  readGrowing(path, growth, (chunk) => {
    text += Buffer.from(chunk).toString();
    onPiece(text);
  });
  return text;
}

describe('readGrowing', () => {
  test('reads a complete file', () => {
    writeFileSync(path, 'x'.repeat(3_000_000));
    const growth = new Growth();
    growth.grown(3_000_000);
    growth.complete();
    expect(readAll(growth)).toHaveLength(3_000_000);
  });

  test('reads on when the file has grown, never past what was announced', () => {
    writeFileSync(path, 'firstSECRET');
    const growth = new Growth();
    growth.grown(5);
    const text = readAll(growth, (sofar) => {
      if (sofar !== 'first') return;
      writeFileSync(path, 'first');
      appendFileSync(path, ' second');
      growth.grown(12);
      growth.complete();
    });
    expect(text).toBe('first second');
  });

  test('an empty file that is complete has nothing', () => {
    writeFileSync(path, '');
    const growth = new Growth();
    growth.complete();
    expect(readAll(growth)).toBe('');
  });

  test('ends when the writer gives up, also after it said that all is there', () => {
    writeFileSync(path, 'x');
    const growth = new Growth();
    growth.abandon();
    growth.complete();
    expect(() => readAll(growth)).toThrow(expect.objectContaining({ code: 'canceled' }));
  });

  test('asks while it waits whether to go on', () => {
    writeFileSync(path, 'x');
    const growth = new Growth();
    let asked = 0;
    const stop = () => {
      asked += 1;
      if (asked > 2) throw new Error('enough');
    };
    expect(() => readGrowing(path, growth, stop)).toThrow('enough');
  });

  test('a file shorter than announced is damaged', () => {
    writeFileSync(path, 'x');
    const growth = new Growth();
    growth.grown(2);
    growth.complete();
    expect(() => readAll(growth)).toThrow(expect.objectContaining({ code: 'data_loss' }));
  });
});
