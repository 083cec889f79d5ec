import { parseDetachKeys } from '#base';
import { invalidDetachKeys } from '../../errors.ts';
import type { Param } from '../../http/query.ts';

/** Keys that end an attach, checked. Of a start they are the wish of a client that attaches by itself. */
export const detachKeys: Param<string> = {
  type: 'detach keys',
  read(values) {
    const text = values?.[0] ?? '';
    try {
      parseDetachKeys(text);
    } catch (error) {
      throw invalidDetachKeys(text, error);
    }
    return text;
  },
};
