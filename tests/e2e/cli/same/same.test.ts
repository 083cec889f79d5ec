import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../../harness/eventually.ts';
import { uniqueName, useEngine } from '../../../harness/fixture.ts';
import { type Client, gantryClient } from '../../../harness/programs.ts';
import { modernDockers } from '../known.ts';
import { words } from '../words.ts';
import { DEEDS } from './deeds.ts';
import { FIELD_LISTS, LISTS, LOOKS } from './lists.ts';
import { ON_PURPOSE } from './on-purpose.ts';
import type { Row, Rows } from './row.ts';
import { TEMPLATES } from './templates.ts';
import { USAGE } from './usage.ts';
import { CREATE_VALUES, RUN_VALUES } from './values.ts';

const engine = useEngine();
const directory = mkdtempSync(join(tmpdir(), 'gantry-e2e-same-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const names: Record<string, string> = {
  dir: directory,
  running: uniqueName('running'),
  stopped: uniqueName('stopped'),
  paused: uniqueName('paused'),
  created: uniqueName('created'),
  volume: uniqueName('volume'),
};

const fill = (line: string, own: string): string =>
  line.replaceAll(/\{(\w+)\}/g, (all, key: string) => (key === 'new' ? own : (names[key] ?? all)));

const setUp = (line: string, own = ''): Promise<string> =>
  engine.must(gantryClient, words(fill(line, own)), { cwd: directory });

beforeAll(async () => {
  mkdirSync(join(directory, 'out'));
  writeFileSync(join(directory, 'bad-env'), '# comment\nA B=1\n');
  writeFileSync(join(directory, 'no-name'), '=x\n');
  writeFileSync(join(directory, 'good-env'), '# c\n\nA=1\n  B=two words \nHOME\nNOT_SET\nC="q"\n');
  const flags =
    '-l kind=test -l other=1 --log-opt labels=kind -p 127.0.0.1::80 -p 127.0.0.1::53/udp -v {volume}:/data ' +
    '-v {dir}:/host:ro --health-cmd true --health-interval 1h --health-start-interval 200ms --health-start-period 1m -e A=1 -m 64m';
  const script = 'echo out one; echo err one >&2; echo out two; exec sleep 100000';
  await setUp(`run -d --name {running} ${flags} busybox sh -c '${script}'`);
  await setUp(`create --name {stopped} busybox sh -c 'echo a; echo b; rm /etc/group; echo x > /new; exit 3'`);
  await setUp('start {stopped}');
  await setUp('wait {stopped}');
  await setUp('run -d --name {paused} busybox sleep 100000');
  await setUp('pause {paused}');
  await setUp('create --name {created} --network none busybox true');
  // Its first check changes what lists show.
  await eventually(
    'the first health check',
    async () => (await setUp('inspect -f {{.State.Health.Status}} {running}')).trim() === 'healthy',
  );
  names['now'] = String(Math.floor(Date.now() / 1000));
}, 60_000);

/** What does not depend on the client, the time, or the name that was made up. */
function normalized(text: string, own: string): string {
  return (
    text
      .replaceAll(/\bdocker(?=[ :'])|(?<=['"])docker\b/g, 'gantry')
      .replaceAll(own, 'NEW')
      .replaceAll(/\b[0-9a-f]{64}\b/g, 'ID')
      .replaceAll(/\b[0-9a-f]{12}\b/g, 'SHORT')
      .replaceAll(/(About a minute|Less than a second|About an hour|\d+ (second|minute)s?)( ago)?/g, 'AGE')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replaceAll(/0xc[0-9a-f]{9}/g, 'ADDRESS')
      .replaceAll(/[-\w]*\.tmp\b/g, 'TEMPORARY')
      // Docker's packer logs that the engine has stopped to listen; whether it gets there in time is luck.
      .replaceAll(/^time="[^"]*" level=error msg="Can't .*\n/gm, '')
      .replaceAll(/ {2,}/g, '  ')
  );
}

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function answer(client: Client, row: Row): Promise<Answer> {
  const own = uniqueName('new');
  for (const line of row.before ?? []) await setUp(line, own);
  const result = await engine.run(client, words(fill(row.line, own)), {
    cwd: directory,
    env: { ...row.env, DOCKER_API_VERSION: names['api'] ?? '' },
    ...(row.stdin !== undefined && { stdin: row.stdin }),
  });
  if (/\{new\}/.test(row.line)) await engine.run(gantryClient, ['rm', '-f', '-v', own]);
  return {
    code: result.code,
    stdout: normalized(result.stdout, own),
    stderr: normalized(result.stderr, own),
  };
}

interface Difference {
  readonly line: string;
  readonly theirs: Partial<Answer>;
  readonly ours: Partial<Answer>;
}

async function compare(docker: Client, row: Row): Promise<Difference | undefined> {
  const [theirs, ours] = [await answer(docker, row), await answer(gantryClient, row)];
  const keys = (['code', 'stdout', 'stderr'] as const).filter((key) => theirs[key] !== ours[key]);
  if (keys.length === 0) return undefined;
  const part = (whole: Answer) => Object.fromEntries(keys.map((key) => [key, whole[key]]));
  return { line: row.line, theirs: part(theirs), ours: part(ours) };
}

const AT_ONCE = 4;

/** Several rows at a time; their order does not matter. */
async function differences(docker: Client, rows: readonly Row[]): Promise<Difference[]> {
  const queue = [...rows];
  const found: Difference[] = [];
  const worker = async () => {
    for (let row = queue.shift(); row !== undefined; row = queue.shift()) {
      const difference = await compare(docker, row);
      if (difference) found.push(difference);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return found;
}

/** In the order they have to run in: what only looks comes before what leaves traces. */
const GROUPS: readonly (readonly [string, Rows])[] = [
  ['lists', LISTS],
  ['fields', FIELD_LISTS],
  ['looks', LOOKS],
  ['templates', TEMPLATES],
  ['usage', USAGE],
  ['values of create', CREATE_VALUES],
  ['run, start, update', RUN_VALUES],
  ['deeds', DEEDS],
];

const byCommand = (rows: Rows): Map<string, Row[]> =>
  Map.groupBy(
    rows
      .map((row): Row => (typeof row === 'string' ? { line: row } : row))
      .filter(({ line }) => !ON_PURPOSE[line]),
    ({ line }) => line.split(' ')[0] ?? '',
  );

describe.each(modernDockers())('gantry answers as $name', (docker) => {
  beforeAll(async () => {
    names['api'] = await engine.must(docker, ['version', '-f', '{{.Client.APIVersion}}']);
  });

  for (const [title, rows] of GROUPS)
    test.each([...byCommand(rows)])(`${title}: %s`, async (_command, own) => {
      expect(await differences(docker, own)).toEqual([]);
    });

  test('every difference that is meant is still one', async () => {
    const all = GROUPS.flatMap(([, rows]) => rows).map(
      (row): Row => (typeof row === 'string' ? { line: row } : row),
    );
    const meant = Object.keys(ON_PURPOSE).map((line) => all.find((row) => row.line === line) ?? { line });
    const found = (await differences(docker, meant)).map(({ line }) => line);
    expect(found.sort()).toEqual(Object.keys(ON_PURPOSE).sort());
  });
});
