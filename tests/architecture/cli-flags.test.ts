import { expect, test } from 'bun:test';
import { allPairs, concernedCommands, provenPairs } from '../e2e/cli/flags/coverage.ts';

/**
 * Every flag of every command that concerns containers is in a scenario of tests/e2e/cli/flags, where it is run with
 * each client and proven by its effect. A flag that is added without one makes this fail.
 */
test('every flag of every container command is proven by a scenario', async () => {
  const proven = await provenPairs();
  const missing = (await allPairs()).filter((pair) => !proven.has(pair));
  expect(missing).toEqual([]);
});

test('the commands that are meant are there', () => {
  const paths = concernedCommands().map(({ path }) => path);
  const wanted =
    'attach commit cp create diff exec export inspect kill logs ls pause port prune rename restart rm run start stats stop top unpause update wait';
  for (const verb of wanted.split(' ')) expect(paths).toContain(`container ${verb}`);
  for (const path of ['inspect', 'version', 'system df', 'system events', 'system info', 'system prune'])
    expect(paths).toContain(path);
});
