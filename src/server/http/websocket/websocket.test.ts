import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createFakeBackends, sampleContainer, serveFakes, type TestServer } from '../../testing/index.ts';
import { CLOSE, closeFrame, encodeFrame, FrameDecoder, type FrameEvent, OPCODE } from './frames.ts';

let server: TestServer;
beforeEach(async () => {
  server = await serveFakes(createFakeBackends({ views: [sampleContainer('one', { OpenStdin: true })] }));
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

const PATH = '/containers/one/attach/ws?stream=1&stdin=1&stdout=1&stderr=1';
const KEY = Buffer.alloc(16, 7).toString('base64');
const request = (headers: readonly string[], path = PATH) =>
  [`GET ${path} HTTP/1.1`, 'Host: localhost', 'Connection: Upgrade', ...headers, '\r\n'].join('\r\n');
const HANDSHAKE = ['Upgrade: websocket', `Sec-WebSocket-Key: ${KEY}`, 'Sec-WebSocket-Version: 13'];

/** A frame as a client sends it. */
function masked(opcode: number, data: Uint8Array, final = true): Buffer {
  const mask = Buffer.from([1, 2, 3, 4]);
  const frame = encodeFrame(opcode as 1, data);
  const headerLength = frame.length - data.length;
  frame[0] = (final ? 0x80 : 0) | opcode;
  frame[1] = 0x80 | (frame[1] ?? 0);
  const body = Buffer.from(data).map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([frame.subarray(0, headerLength), mask, body]);
}

describe('FrameDecoder', () => {
  const decode = (bytes: Buffer, step = bytes.length) => {
    const decoder = new FrameDecoder();
    const events: FrameEvent[] = [];
    for (let at = 0; at < bytes.length; at += step)
      events.push(...decoder.push(bytes.subarray(at, at + step)));
    return events;
  };
  const textOf = (events: readonly FrameEvent[]) =>
    Buffer.concat(events.flatMap((event) => (event.kind === 'data' ? [event.data] : []))).toString();

  test.each([1, 2, 3, 7, 1000])('frames of all lengths, %d bytes at a time', (step) => {
    const texts = ['', 'a', 'b'.repeat(125), 'c'.repeat(126), 'd'.repeat(70_000)];
    const bytes = Buffer.concat(texts.map((text) => masked(OPCODE.binary, Buffer.from(text))));
    expect(textOf(decode(bytes, step))).toBe(texts.join(''));
  });

  test('a message in pieces with a ping between them', () => {
    const bytes = Buffer.concat([
      masked(OPCODE.text, Buffer.from('one '), false),
      masked(OPCODE.ping, Buffer.from('?')),
      masked(OPCODE.continuation, Buffer.from('two')),
      masked(OPCODE.close, Buffer.alloc(2)),
    ]);
    const events = decode(bytes, 2);
    expect(textOf(events)).toBe('one two');
    expect(events.filter(({ kind }) => kind !== 'data').map(({ kind }) => kind)).toEqual(['ping', 'close']);
  });

  test.each([
    ['not masked', encodeFrame(OPCODE.text, Buffer.from('x'))],
    ['an unknown opcode', masked(5, Buffer.from('x'))],
    ['reserved bits', Buffer.from([0xc1, 0x80, 0, 0, 0, 0])],
    ['a long ping', masked(OPCODE.ping, Buffer.alloc(126))],
    ['longer than anything', Buffer.from([0x82, 0xff, ...Buffer.alloc(8, 0xff), 0, 0, 0, 0])],
  ])('refuses %s', (_what, bytes) => {
    expect(() => decode(bytes)).toThrow();
  });
});

describe('attach over WebSocket', () => {
  test('input comes back as messages, the end closes in order', async () => {
    const socket = new WebSocket(`ws+unix://${server.path}:${PATH}`);
    socket.binaryType = 'arraybuffer';
    const received: string[] = [];
    const closed = new Promise<number>((resolve) => {
      socket.onclose = ({ code }) => resolve(code);
    });
    const echoed = new Promise<void>((resolve) => {
      socket.onmessage = ({ data }) => {
        received.push(Buffer.from(data as ArrayBuffer).toString());
        if (received.join('').endsWith('!')) resolve();
      };
    });
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    socket.send('text, ');
    socket.send(Buffer.from('bytes!'));
    await echoed;
    expect(received.join('')).toBe('text, bytes!');
    socket.close();
    expect(await closed).toBe(CLOSE.normal);
  });

  test('the accept key of RFC 6455', async () => {
    const headers = [...HANDSHAKE.slice(0, 1), 'Sec-WebSocket-Version: 13'];
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    const answer = await server.exchange(request([...headers, key]), '\r\n\r\n');
    expect(answer).toContain('HTTP/1.1 101 Switching Protocols\r\n');
    expect(answer).toContain('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n');
  });

  test('a client that breaks the protocol is told so', async () => {
    const conversation = await server.connect();
    conversation.send(request(HANDSHAKE));
    await conversation.read('\r\n\r\n');
    conversation.send(encodeFrame(OPCODE.text, Buffer.from('naked')));
    const answer = await conversation.read();
    expect(answer).toContain(closeFrame(CLOSE.protocolError).toString('latin1'));
    conversation.close();
  });

  test('a program that names no host may name any origin: a browser names both', async () => {
    const headers = [...HANDSHAKE, 'Origin: http://localhost'];
    const answer = await server.exchange(request(headers).replace('Host: localhost', 'Host: '), '\r\n\r\n');
    expect(answer).toContain('HTTP/1.1 101 Switching Protocols\r\n');
  });

  test.each([
    ['a plain request', [], 400],
    ['an old version', [...HANDSHAKE.slice(0, 2), 'Sec-WebSocket-Version: 8'], 400],
    ['a page of another host', [...HANDSHAKE, 'Origin: http://evil.example'], 403],
  ])('refuses %s', async (_what, headers, status) => {
    expect(await server.exchange(request(headers), '}')).toContain(`HTTP/1.1 ${status} `);
  });

  test('an unknown container is a 404', async () => {
    const path = PATH.replace('one', 'ghost');
    expect(await server.exchange(request(HANDSHAKE, path), '}')).toContain('HTTP/1.1 404 ');
  });
});
