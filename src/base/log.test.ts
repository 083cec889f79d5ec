import { describe, expect, test } from 'bun:test';
import { createLogger, maskSecrets } from './log.ts';

const capture = (level: 'debug' | 'info' = 'info', format: 'json' | 'text' = 'json') => {
  const lines: string[] = [];
  const now = () => new Date(0);
  return { lines, log: createLogger({ level: () => level, format, write: (line) => lines.push(line), now }) };
};

describe('createLogger', () => {
  test('one JSON object a line with bound fields; lower levels are dropped', () => {
    const { lines, log } = capture();
    log.child({ container: 'c1' }).warn('task ended', { exitCode: 3 });
    log.debug('not this one');
    expect(lines).toEqual([
      '{"time":"1970-01-01T00:00:00.000Z","level":"warn","msg":"task ended","container":"c1","exitCode":3}\n',
    ]);
  });

  test('text form', () => {
    const { lines, log } = capture('debug', 'text');
    log.debug('step', { path: '/a b' });
    expect(lines).toEqual(['1970-01-01T00:00:00.000Z DEBUG step path="/a b"\n']);
  });
});

describe('maskSecrets', () => {
  test('secret keys at any depth, case-insensitively', () => {
    const masked = maskSecrets({ a: { Password: 'x', list: [{ IdentityToken: 'y', keep: 1 }] } });
    expect(masked).toEqual({ a: { Password: '*****', list: [{ IdentityToken: '*****', keep: 1 }] } });
  });

  test('errors with their causes become text, bigint too, cycles end', () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    expect(maskSecrets({ error: new Error('outer', { cause: new Error('inner') }), size: 5n })).toEqual({
      error: 'outer: inner',
      size: '5',
    });
    expect(JSON.stringify(maskSecrets(cycle))).toContain('…');
  });
});
