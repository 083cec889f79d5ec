import { describe, expect, test } from 'bun:test';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startDaemon } from '../../harness/daemon.ts';
import { gantryClient, must } from '../../harness/programs.ts';
import { differences } from './compare.ts';
import { converse, type Exchange } from './conversation.ts';
import { CONVERSATIONS, RECORDINGS } from './conversations.ts';
import { EVERYWHERE } from './everywhere.ts';
import { normalize } from './normalize.ts';

/**
 * Our answers beside those that the reference engine (docker 20.10) gave to the same requests. Every difference is
 * listed with its reason in `testdata/differences.json`, or in `everywhere.ts` when it is in many answers.
 * `tools/record-reference.ts` records anew; `RECORDINGS=update` lists new differences, without a reason: give them one.
 */
interface Known {
  readonly reason: string;
  readonly lines: readonly string[];
}

const FILE = join(RECORDINGS, 'differences.json');
const KNOWN = (existsSync(FILE) ? JSON.parse(readFileSync(FILE, 'utf8')) : {}) as Record<string, Known>;
const isUpdate = process.env['RECORDINGS'] === 'update';
/** Recorded there: the files of a container's limits have other names elsewhere, and so have some answers. */
const isLegacyHost = !existsSync('/sys/fs/cgroup/cgroup.controllers');

async function ourAnswers(conversation: string): Promise<Exchange[]> {
  await using daemon = await startDaemon();
  await must(gantryClient, ['image', 'bootstrap', 'busybox'], { host: daemon.host });
  return await converse(daemon.host.replace('unix://', ''), CONVERSATIONS[conversation] ?? [], normalize);
}

const ownDifferences = (theirs: Exchange, ours: Exchange): string[] =>
  differences(theirs, ours).filter((line) => !EVERYWHERE.some(({ lines }) => lines.test(line)));

describe.skipIf(!isLegacyHost)('as the reference engine answers', () => {
  test.each(Object.keys(CONVERSATIONS))('%s', async (conversation) => {
    const recorded = JSON.parse(readFileSync(join(RECORDINGS, `${conversation}.json`), 'utf8')) as Exchange[];
    const ours = await ourAnswers(conversation);
    expect(ours.map(({ name, request }) => [name, request])).toEqual(
      recorded.map(({ name, request }) => [name, request]),
    );
    const found = Object.fromEntries(
      recorded.flatMap((theirs, index) => {
        const answer = ours[index];
        const lines = answer ? ownDifferences(theirs, answer) : ['no answer'];
        return lines.length === 0 ? [] : [[`${conversation}/${theirs.name}`, lines]];
      }),
    );
    if (isUpdate) update(conversation, found);
    const known = Object.entries(KNOWN).filter(([name]) => name.startsWith(`${conversation}/`));
    expect(found).toEqual(Object.fromEntries(known.map(([name, { lines }]) => [name, [...lines]])));
  });

  test('every difference has its reason', () => {
    const without = Object.entries(KNOWN).filter(([, { reason }]) => reason === '');
    expect(without.map(([name]) => name)).toEqual([]);
  });
});

function update(conversation: string, found: Readonly<Record<string, string[]>>): void {
  for (const name of Object.keys(KNOWN)) {
    if (name.startsWith(`${conversation}/`) && !(name in found)) delete KNOWN[name];
  }
  for (const [name, lines] of Object.entries(found)) {
    KNOWN[name] = { reason: KNOWN[name]?.reason ?? '', lines };
  }
  writeFileSync(FILE, `${JSON.stringify(KNOWN, null, 2)}\n`);
}
