import { afterEach, beforeEach, expect, test } from 'bun:test';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readAccounts } from './accounts.ts';
import { resolveRemap } from './remap.ts';

let etc: string;
beforeEach(() => {
  etc = mkdtempSync(join(tmpdir(), 'gantry-etc-'));
  write('passwd', 'root:x:0:0:::\nbob:x:1000:1001:::\nalice:x:1002:1002:::\nlone:x:7:7:::\n');
  write('group', 'root:x:0:\nbobs:x:1001:\nalice:x:1002:\nbob:x:1000:\n');
  write('subuid', '# comment\nbob:200000:1000\nalice:300000:65536\n1000:500000:10\n');
  write('subgid', 'bob:210000:1000\nalice:300000:65536\nbobs:220000:5\n');
});
afterEach(() => rmSync(etc, { recursive: true }));

const write = (name: string, text: string): void => writeFileSync(join(etc, name), text);
const resolve = (text: string) => resolveRemap(text, readAccounts(etc));
const range = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size });

test('resolveRemap: names and numbers; all ranges of the user, one after the other', () => {
  const bob = {
    uids: [range(0, 200_000, 1000), range(1000, 500_000, 10)],
    gids: [range(0, 210_000, 1000)],
  };
  for (const text of ['bob', '1000', 'bob:bob', 'bob:1000']) expect(resolve(text)).toEqual(bob);
  expect(resolve('bob:bobs')?.gids).toEqual([range(0, 220_000, 5)]);
  expect(resolve('alice')).toEqual({ uids: [range(0, 300_000, 65_536)], gids: [range(0, 300_000, 65_536)] });
});

test('resolveRemap: root is not mapped', () => {
  expect(resolve('root')).toBeUndefined();
  expect(resolve('0:0')).toBeUndefined();
});

test.each([
  ['a:b:c', 'Invalid user/group specification in --userns-remap: "a:b:c"'],
  ['ghost', 'Error during uid lookup for "ghost": no such user'],
  ['4242', 'Uid 4242 has no entry in /etc/passwd'],
  ['lone', 'Error during gid lookup for "lone"'],
  ['7', 'Gid 7 has no entry in /etc/group'],
  ['bob:ghosts', 'Error during groupname lookup for "ghosts"'],
  ['bob:4242', 'Gid 4242 has no entry in /etc/group'],
  ['lone:alice', `Can't create ID mappings: no subuid ranges found for user "lone"`],
])('resolveRemap: refuses %s', (text, message) => {
  expect(() => resolve(text)).toThrow(message);
});

test('resolveRemap: default makes the user and ranges behind those in use, once', () => {
  const commands: string[] = [];
  const accounts = readAccounts(etc, (command) => {
    commands.push(command.join(' '));
    const [program, flag = '', span = ''] = command;
    if (program === 'useradd') {
      appendFileSync(join(etc, 'passwd'), 'dockremap:x:150:150:::\n');
      appendFileSync(join(etc, 'group'), 'dockremap:x:150:\n');
      return;
    }
    const [first, last] = span.split('-').map(Number);
    const line = `dockremap:${first}:${Number(last) - Number(first) + 1}\n`;
    appendFileSync(join(etc, flag === '--add-subuids' ? 'subuid' : 'subgid'), line);
  });
  const made = resolveRemap('default', accounts);
  expect(made).toEqual({ uids: [range(0, 500_010, 65_536)], gids: [range(0, 365_536, 65_536)] });
  expect(commands).toEqual([
    'useradd --system --user-group --shell /bin/false dockremap',
    'usermod --add-subuids 500010-565545 dockremap',
    'usermod --add-subgids 365536-431071 dockremap',
  ]);
  expect(resolveRemap('default', accounts)).toEqual(made);
  expect(commands).toHaveLength(3);
  expect(readFileSync(join(etc, 'subuid'), 'utf8')).toEndWith('dockremap:500010:65536\n');
});

test('resolveRemap: default says why no user could be made', () => {
  const accounts = readAccounts(etc, () => {
    throw new Error('useradd: nowhere');
  });
  expect(() => resolveRemap('default', accounts)).toThrow(
    'Error during "dockremap" user creation: useradd: nowhere',
  );
});
