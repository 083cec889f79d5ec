import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, errorMessage, internal } from '#base';

/** What `--userns-remap` needs to know of the machine's users. */
export interface Accounts {
  user(nameOrId: string | number): Account | undefined;
  group(nameOrId: string | number): Account | undefined;
  /** Subordinate IDs of a user, in the order of the file; entries name the user or give its number (subuid(5)). */
  subordinates(kind: 'subuid' | 'subgid', user: Account): SubordinateRange[];
  /** Makes a system user of that name with a group of its own, where it is missing, and gives it subordinate IDs. */
  ensureUser(name: string): void;
}

export interface Account {
  readonly name: string;
  readonly id: number;
}

export interface SubordinateRange {
  readonly start: number;
  readonly count: number;
}

/** Length and lowest start of a range that is made. Source: moby `pkg/idtools/usergroupadd_linux.go`. */
const RANGE = 65_536;
const FIRST = 100_000;

/** The files below `directory` (default `/etc`), changed by useradd(8) and usermod(8). */
export function readAccounts(
  directory = '/etc',
  run: (command: readonly string[]) => void = runCommand,
): Accounts {
  const lines = (file: string): string[][] =>
    readText(join(directory, file))
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split(':'));
  const find = (file: string, wanted: string | number): Account | undefined =>
    lines(file)
      .map(([name = '', , id]) => ({ name, id: Number(id) }))
      .find(({ name, id }) => (typeof wanted === 'number' ? id : name) === wanted);
  const ranges = (file: string) =>
    lines(file).map(([owner = '', start, count]) => ({ owner, start: Number(start), count: Number(count) }));
  const accounts: Accounts = {
    user: (wanted) => find('passwd', wanted),
    group: (wanted) => find('group', wanted),
    subordinates: (kind, { name, id }) =>
      ranges(kind).filter(({ owner, count }) => (owner === name || owner === String(id)) && count > 0),
    ensureUser: (name) => {
      if (!accounts.user(name)) run(['useradd', '--system', '--user-group', '--shell', '/bin/false', name]);
      const user = accounts.user(name);
      if (!user) return;
      for (const [kind, flag] of [
        ['subuid', '--add-subuids'],
        ['subgid', '--add-subgids'],
      ] as const) {
        if (accounts.subordinates(kind, user).length > 0) continue;
        const start = Math.max(FIRST, ...ranges(kind).map((range) => range.start + range.count));
        run(['usermod', flag, `${start}-${start + RANGE - 1}`, name]);
      }
    },
  };
  return accounts;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return '';
    throw error;
  }
}

function runCommand(command: readonly string[]): void {
  try {
    const { exitCode, stderr } = Bun.spawnSync([...command], { stdin: 'ignore', stdout: 'ignore' });
    if (exitCode === 0) return;
    throw internal(stderr.toString().trim());
  } catch (error) {
    throw internal(`${command[0]}: ${errorMessage(error)}`, { cause: error });
  }
}
