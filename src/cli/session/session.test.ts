import { describe, expect, test } from 'bun:test';
import { detachKeysOf } from './detach-keys.ts';
import { Demultiplexer } from './multiplex.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** A frame of docker's multiplexed stream. */
const frame = (stream: number, text: string): Uint8Array => {
  const payload = bytes(text);
  const header = new Uint8Array(8);
  header[0] = stream;
  new DataView(header.buffer).setUint32(4, payload.length);
  return Buffer.concat([header, payload]);
};

describe('Demultiplexer', () => {
  const collect = () => {
    const log: string[] = [];
    const sink = (name: string) => ({
      isTerminal: false,
      size: () => undefined,
      write: async (data: string | Uint8Array) => void log.push(`${name}:${Buffer.from(data)}`),
    });
    return { log, demultiplexer: new Demultiplexer({ stdout: sink('o'), stderr: sink('e') }) };
  };
  const all = Buffer.concat([
    frame(1, 'one'),
    frame(1, 'two'),
    frame(2, 'bad'),
    frame(0, ''),
    frame(1, 'three'),
  ]);

  test('keeps the order and joins neighbours', async () => {
    const { log, demultiplexer } = collect();
    await demultiplexer.write(all);
    expect(log).toEqual(['o:onetwo', 'e:bad', 'o:three']);
  });

  test.each([1, 2, 3, 9, 13])('is right for frames cut every %d bytes', async (size) => {
    const { log, demultiplexer } = collect();
    for (let at = 0; at < all.length; at += size) await demultiplexer.write(all.subarray(at, at + size));
    const text = (name: string) =>
      log
        .filter((line) => line.startsWith(name))
        .map((line) => line.slice(2))
        .join('');
    expect([text('o'), text('e')]).toEqual(['onetwothree', 'bad']);
  });

  test('a system error frame and an unknown stream are errors', async () => {
    const write = (data: Uint8Array) => collect().demultiplexer.write(data);
    await expect(write(frame(3, 'broken'))).rejects.toThrow('error from daemon in stream: broken');
    await expect(write(frame(9, 'x'))).rejects.toThrow('unrecognized input header: 9');
  });
});

test('detachKeysOf: the text of a refusal', () => {
  expect([...detachKeysOf('a,ctrl-a')]).toEqual([97, 1]);
  expect(() => detachKeysOf('xx')).toThrow("invalid detach keys (xx): Unknown character: 'xx'");
});
