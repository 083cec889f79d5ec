import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { chownSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uniqueName, useEngine } from '../../../harness/fixture.ts';
import { allClients, type Client, gantryClient } from '../../../harness/programs.ts';
import { openTerminal } from '../../../harness/terminal.ts';
import { isModern } from '../known.ts';
import { words } from '../words.ts';
import { SCENARIOS } from './commands.ts';
import { CREATE_SCENARIOS } from './create.ts';
import type { CreateScenario, Scenario, Wanted } from './scenario.ts';

const engine = useEngine();
const directory = mkdtempSync(join(tmpdir(), 'gantry-e2e-flags-'));
const shared = uniqueName('shared');
afterAll(() => rmSync(directory, { recursive: true, force: true }));

beforeAll(async () => {
  writeFileSync(join(directory, 'file'), 'from the host\n');
  writeFileSync(join(directory, 'owned'), '');
  chownSync(join(directory, 'owned'), 12, 34);
  symlinkSync('file', join(directory, 'link'));
  writeFileSync(join(directory, 'env'), '# comment\nFROM_FILE=file value\nNOT_SET\n');
  writeFileSync(join(directory, 'labels'), 'from.file=1\n# comment\n');
  const script = 'echo first; echo last; echo shared > /shared/file; exec sleep 100000';
  const flags = ['-v', '/shared', '--ipc', 'shareable', '-l', 'kind=test', '--log-opt', 'labels=kind'];
  await engine.must(gantryClient, ['run', '-d', '--name', shared, ...flags, 'busybox', 'sh', '-c', script]);
}, 60_000);

const hasV1 = statSync('/sys/fs/cgroup/memory', { throwIfNoEntry: false })?.isDirectory() ?? false;

const knows = (client: Client, since: Scenario['since']): boolean =>
  client.name === 'gantry' || (since === 'modern' ? isModern(client) : since === undefined);

/** A block device of this machine, for throttling rules. */
function disk(): string {
  const lines = readFileSync('/proc/partitions', 'utf8').trimEnd().split('\n').slice(2);
  const names = lines.map((line) => line.trim().split(/\s+/)[3] ?? '');
  return `/dev/${names.find((name) => /^(vd|sd|nvme\d+n|xvd)/.test(name)) ?? ''}`;
}

const fill = (text: string, name: string): string =>
  text
    .replaceAll('{name}', name)
    .replaceAll('{shared}', shared)
    .replaceAll('{dir}', directory)
    .replaceAll('{soon}', String(Math.floor(Date.now() / 1000) + 1))
    .replaceAll('{disk}', disk());

function expectText(what: string, actual: string, wanted: Wanted, name: string): void {
  const text = actual.replaceAll('\r', '').trim();
  const filled =
    typeof wanted === 'string' ? fill(wanted, name) : new RegExp(fill(wanted.source, name), wanted.flags);
  if (typeof filled === 'string') expect(`${what}: ${text}`).toBe(`${what}: ${filled}`);
  else expect(text, what).toMatch(filled);
}

async function askAfterwards(client: Client, scenario: Scenario, name: string): Promise<void> {
  for (const [line, wanted] of scenario.after ?? []) {
    const { stdout, stderr } = await engine.run(client, words(fill(line, name)));
    expectText(fill(line, name), stdout || stderr, wanted, name);
  }
  for (const [line, wanted] of scenario.here ?? []) {
    const { stdout } = Bun.spawnSync(['sh', '-c', fill(line, name)], { cwd: directory });
    expectText(line, stdout.toString(), wanted, name);
  }
}

async function inTerminal(client: Client, scenario: Scenario, name: string): Promise<number> {
  using session = openTerminal(client, words(fill(scenario.line, name)), engine.host);
  for (const [at, text] of (scenario.terminal ?? []).entries()) {
    if (at % 2 === 0) await session.sees(text);
    else session.type(text);
  }
  return await session.exited;
}

async function play(client: Client, scenario: Scenario): Promise<void> {
  const name = uniqueName('flag');
  for (const line of scenario.before ?? []) await engine.must(client, words(fill(line, name)));
  if (scenario.terminal) {
    const code = await inTerminal(client, scenario, name);
    // Docker takes leaving for a failure in some commands, and not in others.
    expect([0, scenario.code ?? 0]).toContain(code);
  } else {
    const line = fill(scenario.line, name);
    const stdin = scenario.stdin === undefined ? {} : { stdin: scenario.stdin };
    const result = await engine.run(client, words(line), stdin);
    expect({ line, ...result }).toMatchObject({ line, code: scenario.code ?? 0 });
    if (scenario.prints !== undefined) expectText(line, result.stdout, scenario.prints, name);
    if (scenario.complains !== undefined) expectText(line, result.stderr, scenario.complains, name);
  }
  await askAfterwards(client, scenario, name);
  await engine.run(client, ['rm', '-f', '-v', name]);
}

async function playCreate(client: Client, scenario: CreateScenario): Promise<void> {
  const name = uniqueName('flag');
  const flags = words(fill(scenario.flags, name));
  if (scenario.refused) {
    const [code, text] = scenario.refused;
    const run = await engine.run(client, ['run', '--rm', '--name', name, ...flags, 'busybox', 'true']);
    expect(run).toMatchObject({ code, stderr: expect.stringMatching(text) });
    const create = await engine.run(client, ['create', '--name', name, ...flags, 'busybox', 'true']);
    if (create.code === 0) await engine.must(client, ['rm', '-v', name]);
    return;
  }
  await engine.must(client, ['create', '--name', name, ...flags, 'busybox', 'true']);
  if (scenario.inspect) {
    const [template, wanted] = scenario.inspect;
    expectText('inspect', await engine.must(client, ['inspect', '-f', template, name]), wanted, name);
  }
  await engine.must(client, ['rm', '-v', name]);
  if (scenario.needs === 'cgroup v1' && !hasV1) return;
  const [script, wanted] = scenario.sees ?? ['true', ''];
  // A restart policy and --rm exclude each other.
  const rm = flags.includes('--restart') ? [] : ['--rm'];
  const command = ['run', ...rm, '--name', name, ...flags, 'busybox', 'sh', '-c', script];
  const run = await engine.run(client, command);
  expect({ flags: scenario.flags, ...run }).toMatchObject({ code: 0 });
  if (scenario.sees) expectText('run', run.stdout, wanted, name);
  await engine.run(client, ['rm', '-f', '-v', name]);
}

describe.each(allClients())('$name flags', (client) => {
  const known = SCENARIOS.filter(
    ({ since, needs }) => knows(client, since) && (needs === undefined || hasV1),
  );
  test.each(known.map((scenario) => [scenario.line, scenario] as const))('%s', (_line, scenario) =>
    play(client, scenario),
  );

  const created = CREATE_SCENARIOS.filter(({ since }) => knows(client, since));
  test.each(created.map((scenario) => [scenario.flags, scenario] as const))(
    'create and run %s',
    (_flags, scenario) => playCreate(client, scenario),
  );
});
