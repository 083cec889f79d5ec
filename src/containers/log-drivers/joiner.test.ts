import { expect, test } from 'bun:test';
import type { LogEntry } from '../logs/entry.ts';
import { MAX_MESSAGE_BYTES, MessageJoiner } from './joiner.ts';
import type { LogMessage } from './types.ts';

const entry = (text: string, flag: 'F' | 'P' = 'F', stream: LogEntry['stream'] = 'stdout'): LogEntry => ({
  time: `time of ${text.slice(0, 3)}`,
  stream,
  isFull: flag === 'F',
  content: Buffer.from(text),
});
const joiner = () => new MessageJoiner({}, () => 'id');
const show = (messages: LogMessage[]) =>
  messages.map(({ stream, line, partial }) => {
    const text = line.length > 20 ? `${line.length} bytes` : line.toString();
    return `${stream} ${text}${partial ? ` ${partial.id}/${partial.ordinal}/${partial.last}` : ''}`;
  });

test('a full entry is a message, with its own time and bytes', () => {
  const [message] = joiner().push(entry('abc'));
  expect(message).toEqual({ stream: 'stdout', time: 'time of abc', line: Buffer.from('abc') });
});

test('partial entries are joined, per stream, with the time of the first', () => {
  const lines = joiner();
  expect(lines.push(entry('abc', 'P'))).toEqual([]);
  expect(show(lines.push(entry('err', 'F', 'stderr')))).toEqual(['stderr err']);
  expect(lines.push(entry('def', 'P'))).toEqual([]);
  expect(lines.push(entry('', 'F'))).toEqual([
    { stream: 'stdout', time: 'time of abc', line: Buffer.from('abcdef') },
  ]);
  expect(lines.pending).toEqual({});
});

test('a line of exactly the limit is whole, one byte more makes two pieces', () => {
  const lines = joiner();
  const limit = 'x'.repeat(MAX_MESSAGE_BYTES);
  expect(show(lines.push(entry(limit)))).toEqual([`stdout ${MAX_MESSAGE_BYTES} bytes`]);
  lines.push(entry(limit, 'P'));
  expect(show(lines.push(entry('y')))).toEqual([
    `stdout ${MAX_MESSAGE_BYTES} bytes id/1/false`,
    'stdout y id/2/true',
  ]);
});

test('a very long line comes in numbered pieces as it is read, and only its last piece is the last', () => {
  const lines = joiner();
  const pieces: string[] = [];
  for (let part = 0; part < 5; part += 1) pieces.push(...show(lines.push(entry('x'.repeat(8192), 'P'))));
  pieces.push(...show(lines.push(entry('end'))));
  expect(pieces).toEqual([
    `stdout 16384 bytes id/1/false`,
    `stdout 16384 bytes id/2/false`,
    'stdout 8195 bytes id/3/true',
  ]);
});

test('flush: what has no end is a piece that is not the last', () => {
  const lines = joiner();
  lines.push(entry('prompt> ', 'P'));
  expect(show(lines.flush())).toEqual(['stdout prompt>  id/1/false']);
  expect([lines.flush(), lines.pending]).toEqual([[], {}]);
});

test('a snapshot is not changed by what comes later, and another joiner goes on from it', () => {
  const lines = joiner();
  lines.push(entry('x'.repeat(MAX_MESSAGE_BYTES + 1), 'P'));
  const { pending } = lines;
  expect(show(lines.push(entry('one')))).toEqual(['stdout xone id/2/true']);
  expect(show(new MessageJoiner(pending, () => 'other').push(entry('two')))).toEqual([
    'stdout xtwo id/2/true',
  ]);
});
