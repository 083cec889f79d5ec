import { constants } from 'node:fs';
import { errnoCode } from '#base';
import type { RootedDir, Sys } from '#sys';
import { readText } from '../bounded-text.ts';
import { groupNotFound, idOutOfRange, userNotFound } from '../errors.ts';

/** Who the process is. */
export interface ResolvedUser {
  readonly uid: number;
  readonly gid: number;
  /** Exactly the supplementary groups, the primary one first (CVE-2022-36109), none twice. */
  readonly additionalGids: readonly number[];
  /** Home directory, `/` when unknown. */
  readonly home: string;
}

const MAX_ID = 2 ** 31 - 1;

interface PasswdEntry {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

interface GroupEntry {
  readonly name: string;
  readonly gid: number;
  readonly members: readonly string[];
}

/**
 * Resolves `user[:group]` (names or numbers) and `--group-add` against the container's own files, read below its
 * root. A number needs no entry. With an explicit group, memberships from the group file do not count.
 * @throws `internal` with docker's text for an unknown name, `invalid_argument` for a number out of range.
 */
export function resolveUser(
  sys: Sys,
  rootfs: string,
  user: string,
  groupAdd: readonly string[] = [],
): ResolvedUser {
  using root = sys.files.openRoot(rootfs);
  const passwd = parseLines(readBounded(sys, root, '/etc/passwd'), parsePasswd);
  const groups = parseLines(readBounded(sys, root, '/etc/group'), parseGroup);
  return matchUser(user, groupAdd, passwd, groups);
}

/** The pure part of {@link resolveUser}. */
export function matchUser(
  user: string,
  groupAdd: readonly string[],
  passwd: readonly PasswdEntry[],
  groups: readonly GroupEntry[],
): ResolvedUser {
  const colon = user.indexOf(':');
  const name = colon < 0 ? user : user.slice(0, colon);
  const group = colon < 0 ? '' : user.slice(colon + 1);
  const entry = findUser(name || '0', passwd);
  const gid = group === '' ? entry.gid : findGroup(group, groups);
  const memberships = groups
    .filter(({ members }) => group === '' && entry.name !== '' && members.includes(entry.name))
    .map((found) => found.gid);
  const added = groupAdd.map((text) => findGroup(text, groups));
  return {
    uid: entry.uid,
    gid,
    additionalGids: [...new Set([gid, ...memberships, ...added])],
    home: entry.home || '/',
  };
}

function findUser(name: string, passwd: readonly PasswdEntry[]): PasswdEntry {
  const number = parseId(name);
  const found = passwd.find((entry) => entry.name === name) ?? passwd.find((entry) => entry.uid === number);
  if (found) return found;
  if (number === undefined) throw userNotFound(name);
  return { name: '', uid: number, gid: 0, home: '/' };
}

function findGroup(name: string, groups: readonly GroupEntry[]): number {
  const found = groups.find((entry) => entry.name === name);
  const gid = found?.gid ?? parseId(name);
  if (gid === undefined) throw groupNotFound(name);
  return gid;
}

/** A number in range; undefined when the text is no number. */
function parseId(text: string): number | undefined {
  if (!/^-?\d+$/.test(text)) return undefined;
  const id = Number(text);
  if (id < 0 || id > MAX_ID) throw idOutOfRange();
  return id;
}

function parseLines<T>(text: string, parse: (fields: string[]) => T | undefined): T[] {
  const parsed: T[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const entry = parse(line.trim().split(':'));
    if (entry) parsed.push(entry);
  }
  return parsed;
}

const isFileId = (text: string | undefined): text is string =>
  text !== undefined && /^\d+$/.test(text) && Number(text) <= MAX_ID;

function parsePasswd([name = '', , uid, gid, , home = '']: string[]): PasswdEntry | undefined {
  return isFileId(uid) && isFileId(gid) ? { name, uid: Number(uid), gid: Number(gid), home } : undefined;
}

function parseGroup([name = '', , gid, members = '']: string[]): GroupEntry | undefined {
  if (!isFileId(gid)) return undefined;
  return { name, gid: Number(gid), members: members.split(',').filter(Boolean) };
}

export const passwdEntries = (text: string): PasswdEntry[] => parseLines(text, parsePasswd);
export const groupEntries = (text: string): GroupEntry[] => parseLines(text, parseGroup);

/** The file's text, as far as an honest image has any; empty when there is none. */
function readBounded(sys: Sys, root: RootedDir, path: string): string {
  const { O_RDONLY, O_NONBLOCK } = constants;
  let fd: number;
  try {
    fd = root.open(path, O_RDONLY | O_NONBLOCK);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(errnoCode(error) ?? '')) return '';
    throw error;
  }
  try {
    return readText(fd);
  } finally {
    sys.processes.closeFd(fd);
  }
}
