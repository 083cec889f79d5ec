import { describe, expect, test } from 'bun:test';
import { MAX_API_VERSION, MIN_API_VERSION } from '#api';
import { sampleResponses } from './api-response-samples.ts';
import { compareResponse, noteFor, type ResponseFacts, type ResponseNote } from './api-responses.ts';
import givenNotes from './facts/engine-api-response-notes.json';
import given from './facts/engine-api-responses.json';

const facts = given as unknown as ResponseFacts;
const notes = givenNotes as readonly ResponseNote[];
const versions = Array.from(
  { length: MAX_API_VERSION - MIN_API_VERSION + 1 },
  (_, index) => MIN_API_VERSION + index,
);

describe('compareResponse', () => {
  const own: ResponseFacts = {
    fields: { Get: { '24-': 'A A{}.B List List[].C', '30-': 'New', '24-40': 'Old' } },
    gated: { Get: { New: 30 } },
  };
  const compare = (version: number, answer: unknown) =>
    compareResponse(own, 'Get', version, answer).map(({ kind, path }) => `${kind} ${path}`);

  test('nothing to say about what is documented', () => {
    expect(compare(30, { A: { any: { B: 1 } }, List: [{ C: 1 }], New: 1, Old: 1 })).toEqual([]);
  });
  test('missing, early and late fields are named', () => {
    const answer = { A: {}, New: { deep: 1 } };
    expect(compare(29, answer)).toEqual([
      'missing A{}.B',
      'missing List',
      'missing List[].C',
      'missing Old',
      'early New',
    ]);
    expect(compare(41, { A: {}, Old: 1 })).toEqual([
      'missing A{}.B',
      'missing List',
      'missing List[].C',
      'missing New',
      'late Old',
    ]);
  });
});

test('every version answers the fields it has, apart from what the notes explain, and every note is needed', async () => {
  const unused = new Set(notes);
  const unexplained = new Set<string>();
  for (const version of versions) {
    const answers = await sampleResponses(version);
    for (const [operation, answer] of answers) {
      for (const difference of compareResponse(facts, operation, version, answer)) {
        const note = noteFor(notes, difference);
        if (note) unused.delete(note);
        else unexplained.add(`${version} ${operation}: ${difference.kind} ${difference.path}`);
      }
    }
    const missing = Object.keys(facts.fields).filter((operation) => !answers.has(operation));
    expect(missing, `answers of ${version}`).toEqual(version === 24 ? ['ContainerPrune'] : []);
  }
  expect([...unexplained]).toEqual([]);
  expect([...unused].map(({ operation, path }) => `${operation} ${path}`)).toEqual([]);
});
