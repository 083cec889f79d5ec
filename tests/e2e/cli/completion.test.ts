import { afterAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GANTRY } from '../../harness/programs.ts';

const directory = mkdtempSync(join(tmpdir(), 'gantry-e2e-completion-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A shell that reads a script without running it, and one that asks the script what follows `gantry container pru`. */
const SHELLS = {
  bash: {
    ask: 'source "$1"; COMP_LINE="gantry container pru"; COMP_POINT=${#COMP_LINE}; _gantry; echo "${COMPREPLY[@]}"',
  },
  fish: { ask: 'source $argv[1]; complete -C "gantry container pru"' },
  zsh: {
    // The functions of zsh's completion exist in a terminal only: here they say what they are given.
    ask: 'compdef() { :; }; _describe() { print -l -- ${(P)2}; }; source "$1"; words=(gantry container pru); CURRENT=3; _gantry',
  },
} as const;

const installed = Object.entries(SHELLS).filter(([shell]) => Bun.which(shell) !== null);

function shell(name: string, args: readonly string[]) {
  const PATH = `${directory}:${process.env['PATH']}`;
  const result = Bun.spawnSync([name, ...args], { env: { PATH, HOME: directory, TERM: 'dumb' } });
  return { code: result.exitCode, stdout: result.stdout.toString(), stderr: result.stderr.toString() };
}

describe('completion', () => {
  writeFileSync(join(directory, 'gantry'), `#!/bin/sh\nexec ${GANTRY} "$@"\n`, { mode: 0o755 });

  test('bash is here at least', () => {
    expect(installed.map(([name]) => name)).toContain('bash');
  });

  test.each(installed)('%s reads the script and completes with it', (name, { ask }) => {
    const script = join(directory, `completion.${name}`);
    writeFileSync(script, shell(join(directory, 'gantry'), ['completion', name]).stdout);
    expect(shell(name, ['-n', script])).toEqual({ code: 0, stdout: '', stderr: '' });
    const args = name === 'fish' ? ['-c', ask, script] : ['-c', ask, name, script];
    const answer = shell(name, args);
    expect(answer.stderr).toBe('');
    expect(answer.stdout).toMatch(/^prune\b/);
  });
});
