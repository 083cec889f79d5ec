import { describe, expect, test } from 'bun:test';
import { conflict, errnoCode, errorCode, errorMessage, hasCode, isNotFound, notFound } from './errdefs.ts';

describe('errdefs', () => {
  test('`errorCode`: ours by code, aborts as canceled, everything else unknown', () => {
    expect(errorCode(conflict('x'))).toBe('conflict');
    const controller = new AbortController();
    controller.abort();
    expect(errorCode(controller.signal.reason)).toBe('canceled');
    expect(errorCode(new TypeError('x'))).toBe('unknown');
    expect(errorCode('text')).toBe('unknown');
  });

  test('`notFound`: keeps the cause apart from the message', () => {
    const error = notFound('no such thing', { cause: new Error('disk path') });
    expect(error.message).toBe('no such thing');
    expect((error.cause as Error).message).toBe('disk path');
    expect(isNotFound(error)).toBe(true);
    expect(hasCode(error, 'conflict')).toBe(false);
  });

  test('`errnoCode`: only symbolic errno names count', () => {
    expect(errnoCode(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT');
    expect(errnoCode(notFound('x'))).toBeUndefined();
    expect(errnoCode(null)).toBeUndefined();
  });

  test('`errorMessage`: any thrown value has a text', () => {
    expect(errorMessage(new Error('boom'))).toBe('boom');
    expect(errorMessage(42)).toBe('42');
  });
});
