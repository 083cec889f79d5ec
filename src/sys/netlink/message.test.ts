import { expect, test } from 'bun:test';
import { errnoCode } from '#base';
import { Attributes, RequestBuilder, splitReplies } from './message.ts';

test('RequestBuilder: aligns attributes and measures nested ones', () => {
  const request = new RequestBuilder(16, 0x605).raw(Uint8Array.of(1, 2, 3, 4));
  request.string(3, 'eth0').nested(18, (info) => info.string(1, 'veth').u32(2, 0xdead_beef));
  const message = request.finish(7);
  const [reply] = splitReplies(message);
  expect(reply).toMatchObject({ type: 16, flags: 0x605, sequence: 7 });
  const attributes = new Attributes(reply?.payload.subarray(4) ?? new Uint8Array());
  expect(attributes.string(3)).toBe('eth0');
  expect(attributes.nested(18)?.string(1)).toBe('veth');
  expect(attributes.nested(18)?.u32(2)).toBe(0xdead_beef);
  expect(attributes.u32(99)).toBeUndefined();
});

test('RequestBuilder: refuses what does not fit', () => {
  const request = new RequestBuilder(16, 0);
  const codes = Array.from({ length: 3 }, () => {
    try {
      request.attribute(1, new Uint8Array(4000));
      return 'ok';
    } catch (error) {
      return errnoCode(error);
    }
  });
  expect(codes).toEqual(['ok', 'ok', 'EMSGSIZE']);
});

test('splitReplies: yields all messages of a datagram and refuses a false length', () => {
  const one = new RequestBuilder(1, 0).raw(new Uint8Array(5)).finish(1);
  const two = Uint8Array.from([...one, ...new RequestBuilder(2, 0).finish(2)]);
  expect([...splitReplies(two)].map((reply) => reply.type)).toEqual([1, 2]);
  expect(() => [...splitReplies(one.slice(0, one.length - 4))]).toThrow('bad message');
});

test('Attributes: stops at a broken length instead of reading past it', () => {
  const attributes = new Attributes(Uint8Array.of(5, 0, 1, 0, 9, 0, 0, 0, 200, 0, 2, 0, 1));
  expect(attributes.bytes(1)).toEqual(Uint8Array.of(9));
  expect(attributes.bytes(2)).toBeUndefined();
});
