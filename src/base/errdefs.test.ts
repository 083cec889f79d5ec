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

  test('an undo that fails as well does not hide why', async () => {
    const failing = async (): Promise<void> => {
      await using undo = new AsyncDisposableStack();
      undo.defer(() => {
        throw new Error('cannot undo');
      });
      undo.defer(() => {
        throw new Error('nor this');
      });
      throw conflict('the reason');
    };
    const error = await failing().catch((thrown: unknown) => thrown);
    expect((error as Error).name).toBe('SuppressedError');
    expect([errorCode(error), errorMessage(error)]).toEqual(['conflict', 'the reason']);
  });

  test('`errorMessage`: any thrown value has a text', () => {
    expect(errorMessage(new Error('boom'))).toBe('boom');
    expect(errorMessage(42)).toBe('42');
  });
});
