import { chmodSync, chownSync, lstatSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { errnoCode } from '#base';
import { notASocket, pathTooLong, socketInUse, unknownGroup } from './errors.ts';

const MAX_PATH_BYTES = 107;
/** Owner and group, nobody else. */
const SOCKET_MODE = 0o660;
const DEFAULT_GROUP = 'docker';

/** Listens on a path. A socket file that nobody answers on is replaced; a live one is refused. */
export async function listenUnix(
  server: Server,
  path: string,
  group: string | undefined,
): Promise<() => void> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw pathTooLong(path);
  const gid = groupId(group);
  await removeStale(path);
  // The file must not be open to others between bind and chmod.
  const umask = process.umask(0o777 & ~SOCKET_MODE);
  try {
    await listening(server, () => server.listen({ path }));
  } finally {
    process.umask(umask);
  }
  if (gid !== undefined) chownSync(path, -1, gid);
  chmodSync(path, SOCKET_MODE);
  const inode = lstatSync(path).ino;
  return () => removeOwn(path, inode);
}

export function listening(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    start();
  });
}

async function removeStale(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat) return;
  if (!stat.isSocket()) throw notASocket(path);
  if (await answers(path)) throw socketInUse(path);
  rmSync(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    // Full queues mean that somebody listens.
    probe.once('error', (error) => resolve(errnoCode(error) === 'EAGAIN'));
  });
}

/** Only our own file: a successor may have put its socket there already. */
function removeOwn(path: string, inode: number): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.ino === inode) rmSync(path, { force: true });
}

/** The group's ID; undefined when none is named and there is no group `docker`. @throws `invalid_argument`. */
function groupId(group: string | undefined): number | undefined {
  if (group !== undefined && /^\d+$/.test(group)) return Number(group);
  const wanted = group ?? DEFAULT_GROUP;
  const line = readGroups().find((entry) => entry.startsWith(`${wanted}:`));
  if (!line && group !== undefined && group !== '') throw unknownGroup(group);
  return line ? Number(line.split(':')[2]) : undefined;
}

function readGroups(): string[] {
  try {
    return readFileSync('/etc/group', 'utf8').split('\n');
  } catch {
    return [];
  }
}
