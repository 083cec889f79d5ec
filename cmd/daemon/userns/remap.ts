import { chmodSync, chownSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorMessage, invalidArgument } from '#base';
import { type IdMappings, mappedRoot } from '#oci';
import type { Account, Accounts, SubordinateRange } from './accounts.ts';

/** The user whose subordinate IDs `--userns-remap=default` takes. Docker's, so that both may use one range. */
const DEFAULT_USER = 'dockremap';

/**
 * The user namespace that `--userns-remap` asks for: `default`, `user`, `user:group`, `uid` or `uid:gid`. Undefined for
 * root, which cannot be mapped to itself: then there is none.
 * @throws `invalid_argument` with dockerd's texts. Source: moby `daemon/daemon_unix.go` (parseRemappedRoot).
 */
export function resolveRemap(text: string, accounts: Accounts): IdMappings | undefined {
  const parts = text.split(':');
  if (parts.length > 2) {
    throw invalidArgument(`Invalid user/group specification in --userns-remap: ${JSON.stringify(text)}`);
  }
  const [userText = '', groupText] = parts;
  const user = findUser(userText, accounts);
  const group =
    groupText === undefined ? findOwnGroup(userText, user, accounts) : findGroup(groupText, accounts);
  if (user.name === 'root') return undefined;
  return {
    uids: consecutive(subordinates('subuid', user, accounts)),
    gids: consecutive(subordinates('subgid', user, accounts, group)),
  };
}

const parseId = (text: string): number | undefined => (/^[+-]?\d+$/.test(text) ? Number(text) : undefined);

function findUser(text: string, accounts: Accounts): Account {
  const uid = parseId(text);
  if (uid !== undefined) {
    const user = accounts.user(uid);
    if (!user) throw invalidArgument(`Uid ${uid} has no entry in /etc/passwd: no such user`);
    return user;
  }
  if (text === 'default') makeDefaultUser(accounts);
  const name = text === 'default' ? DEFAULT_USER : text;
  const user = accounts.user(name);
  if (!user) throw invalidArgument(`Error during uid lookup for ${JSON.stringify(name)}: no such user`);
  return user;
}

function makeDefaultUser(accounts: Accounts): void {
  try {
    accounts.ensureUser(DEFAULT_USER);
  } catch (error) {
    throw invalidArgument(`Error during "${DEFAULT_USER}" user creation: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** Without a group: the one with the user's number, or its name, as the user was given. */
function findOwnGroup(text: string, user: Account, accounts: Accounts): Account {
  const gid = parseId(text);
  const group = accounts.group(gid ?? user.name);
  if (group) return group;
  if (gid !== undefined) throw invalidArgument(`Gid ${gid} has no entry in /etc/group: no such group`);
  throw invalidArgument(`Error during gid lookup for ${JSON.stringify(user.name)}: no such group`);
}

function findGroup(text: string, accounts: Accounts): Account {
  const gid = parseId(text);
  const group = accounts.group(gid ?? text);
  if (group) return group;
  if (gid !== undefined) throw invalidArgument(`Gid ${gid} has no entry in /etc/group: no such group`);
  throw invalidArgument(`Error during groupname lookup for ${JSON.stringify(text)}: no such group`);
}

/** Group IDs are the user's too (subgid(5)); an entry that names the group comes first. */
function subordinates(
  kind: 'subuid' | 'subgid',
  user: Account,
  accounts: Accounts,
  group?: Account,
): SubordinateRange[] {
  const ofGroup = group ? accounts.subordinates(kind, { name: group.name, id: -1 }) : [];
  const found = ofGroup.length > 0 ? ofGroup : accounts.subordinates(kind, user);
  if (found.length > 0) return found;
  throw invalidArgument(
    `Can't create ID mappings: no ${kind} ranges found for user ${JSON.stringify(user.name)}`,
  );
}

/** The ranges one after the other, from the container's ID 0 on. */
function consecutive(ranges: readonly SubordinateRange[]): IdMappings['uids'] {
  let next = 0;
  return ranges.map(({ start, count }) => {
    const containerID = next;
    next += count;
    return { containerID, hostID: start, size: count };
  });
}

const ROOT_MODE = 0o710;
const SEARCH_OTHER = 0o001;

/**
 * Lets the mapped root pass the data root, and nobody else. @throws `invalid_argument` with dockerd's text when a directory above
 * one of the roots keeps it out.
 */
export function openRoots(dataRoot: string, execRoot: string, mappings: IdMappings): void {
  chownSync(dataRoot, 0, mappedRoot(mappings).gid);
  chmodSync(dataRoot, ROOT_MODE);
  for (const root of [dataRoot, execRoot]) requirePassage(root);
}

/** Whether {@link openRoots} was ever done with this data root. */
export const hasMapped = (dataRoot: string): boolean => statSync(dataRoot).gid !== 0;

function requirePassage(root: string): void {
  for (let path = dirname(root); path !== dirname(path); path = dirname(path)) {
    if ((statSync(path).mode & SEARCH_OTHER) !== 0) continue;
    throw invalidArgument(
      `a subdirectory in your graphroot path (${root}) restricts access to the remapped root uid/gid; ` +
        "please fix by allowing 'o+x' permissions on existing directories",
    );
  }
}
