import { describe, expect, test } from 'bun:test';
import { COMMANDS, type FlagSpec, fullNames } from '#cli';
import { useEngine } from '../../../harness/fixture.ts';
import { gantryClient } from '../../../harness/programs.ts';
import { modernDockers } from '../known.ts';

const engine = useEngine({ image: false });

/** A line of an options block, without its text. */
interface Option {
  readonly short: string;
  readonly name: string;
  readonly type: string;
  readonly default: string;
}

/** Flags that docker has given up, or is giving up: understood, but no longer shown. */
const GIVEN_UP = new Set(['disable-content-trust', 'kernel-memory', 'pause']);
/** Flags that docker does not have, or not yet: `commit --no-pause` is in its documentation of 2026. */
const AHEAD = new Set(['chown', 'no-pause', 'kill-on-disconnect', 'exec sig-proxy']);
/** Docker says what is nothing in several ways; words in brackets are prose. */
const NOTHING = /^(0|0s|\[\]|map\[\]|false|"")$| /;

/** Reads the options of a help text, wrapped lines joined. */
function optionsOf(help: string): Option[] {
  const [, block = ''] = help.split(/^Options:\n/m);
  const entries = block.split(/\n\n/)[0]?.split(/\n(?= {2}-| {6}--)/) ?? [];
  return entries.flatMap((entry) => {
    const text = entry.replaceAll(/\s*\n\s+/g, ' ');
    const match = /^\s+(?:-(\w), )?--([\w-]+)(?: (\S+))?(?:\s{2,}|$)/.exec(text);
    if (!match) return [];
    const value = /\(default (?:"([^"]*)"|([^)]*))\)/.exec(text);
    const shown = value?.[1] ?? value?.[2] ?? '';
    return [
      {
        short: match[1] ?? '',
        name: match[2] ?? '',
        type: match[3] ?? '',
        default: NOTHING.test(shown) ? '' : shown,
      },
    ];
  });
}

const concerned = COMMANDS.filter(({ path }) => /^container |^inspect$|^version$|^system /.test(path));

describe.each(modernDockers())('options of $name', (docker) => {
  test.each(concerned.map((entry) => [entry.path, entry] as const))('%s', async (path, entry) => {
    const args = [...path.split(' '), '--help'];
    const [theirs, ours] = [await engine.must(docker, args), await engine.must(gantryClient, args)];
    const flags: Readonly<Record<string, FlagSpec>> = (await entry.load()).command.flags;
    const expected = optionsOf(theirs).filter(({ name }) => !GIVEN_UP.has(name));
    const verb = path.split(' ').at(-1);
    const shown = optionsOf(ours).filter(({ name }) => !AHEAD.has(name) && !AHEAD.has(`${verb} ${name}`));
    expect(shown).toEqual(expected);
    for (const { name } of optionsOf(theirs)) expect(Object.keys(flags)).toContain(name);
  });

  test.each(concerned.map((entry) => [entry.path, entry] as const))(
    'names and usage of %s',
    async (path, entry) => {
      const theirs = await engine.must(docker, [...path.split(' '), '--help']);
      const aliases = /^Aliases:\n {2}(.*)$/m.exec(theirs)?.[1]?.split(', ') ?? [`docker ${path}`];
      expect(fullNames(entry).map((name) => `docker ${name}`)).toEqual(aliases);
      const usage = /^Usage: {2}docker (.*)$/m.exec(theirs)?.[1];
      const { command } = await entry.load();
      // Ours copies between containers, too.
      if (path !== 'container cp') expect(`${path} ${command.usage}`.trim()).toBe(usage ?? '');
    },
  );
});
