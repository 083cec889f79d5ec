import { expect, test } from 'bun:test';
import { acceptedType } from './accept.ts';

const OFFERED = ['application/jsonl', 'application/x-ndjson'];

test.each([
  [undefined, undefined],
  ['*/*', undefined],
  ['application/*', undefined],
  ['application/json', undefined],
  ['application/x-ndjson', 'application/x-ndjson'],
  ['Application/X-NDJSON; charset=utf-8', 'application/x-ndjson'],
  ['text/html, application/x-ndjson;q=0.5, application/jsonl;q=0.9', 'application/jsonl'],
  ['application/x-ndjson, application/jsonl', 'application/x-ndjson'],
  ['application/x-ndjson;q=0', undefined],
])('Accept: %p is %p', (accept, type) => {
  const request = { headers: { accept } } as unknown as Parameters<typeof acceptedType>[0];
  expect(acceptedType(request, OFFERED)).toBe(type as never);
});
