import { close, constants, read } from 'node:fs';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createTarStream, errnoCode, type TarEntryType, type TarHeaderInit, type TarInput } from '#base';
import { unmappedCapability } from '#oci';
import {
  type FileStat,
  type RootedDir,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from '#sys';
import { OPAQUE_NAME, WHITEOUT_PREFIX } from '../apply/names.ts';
import { portableXattrs } from '../file-metadata.ts';
import { politely, type Trees, type UpperEntry, walkUpper } from './changes.ts';

const CAPABILITY = 'security.capability';
const READ_BYTES = 256 * 1024;
const readFile = promisify(read);
const closeFile = promisify(close);

const TYPES: Readonly<Record<number, TarEntryType>> = {
  [S_IFREG]: 'file',
  [S_IFLNK]: 'symlink',
  [S_IFCHR]: 'character',
  [S_IFBLK]: 'block',
  [S_IFDIR]: 'directory',
  [S_IFIFO]: 'fifo',
};

/**
 * The upper tree as an OCI layer: whiteouts and opaque marks in the archive's own notation. The trees are opened when
 * reading begins and disposed when it ends, however it ends.
 * Files that change while they are read are cut or filled up to the size first seen.
 */
export function createDiffStream(openTrees: () => Trees & Disposable): Readable {
  const entries = async function* (): AsyncGenerator<TarInput> {
    using trees = openTrees();
    yield* diffEntries(trees);
  };
  return createTarStream(entries(), { onSizeMismatch: 'fit' });
}

async function* diffEntries(trees: Trees): AsyncGenerator<TarInput> {
  const links = new Map<bigint, string>();
  // Directories that are only on the way to a change wait until there is one.
  const pending: UpperEntry[] = [];
  for await (const entry of politely(walkUpper(trees))) {
    while (pending.length > 0 && !entry.path.startsWith(`${pending.at(-1)?.path}/`)) pending.pop();
    if (entry.note === 'implied') continue;
    if (entry.note === 'unchanged') {
      pending.push(entry);
      continue;
    }
    for (const directory of pending.splice(0)) yield* entryInputs(trees, directory, links);
    yield* entryInputs(trees, entry, links);
  }
}

async function* entryInputs(
  trees: Trees,
  { path, stat, note }: UpperEntry,
  links: Map<bigint, string>,
): AsyncGenerator<TarInput> {
  const slash = path.lastIndexOf('/') + 1;
  const name = path.slice(slash);
  if (!stat) {
    yield { header: { path: `${path.slice(0, slash)}${WHITEOUT_PREFIX}${name}`, mode: 0 } };
    return;
  }
  // A layer cannot hold such a name: it would delete something when applied.
  if (name.startsWith(WHITEOUT_PREFIX)) return;
  yield* skippingVanished(() => memberInputs(trees, path, stat, links));
  if (note === 'opaque') yield { header: { path: `${path}/${OPAQUE_NAME}`, mode: 0 } };
}

async function* skippingVanished(inputs: () => AsyncGenerator<TarInput>): AsyncGenerator<TarInput> {
  try {
    yield* inputs();
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(errnoCode(error) ?? '')) throw error;
  }
}

async function* memberInputs(
  { upper, mappings }: Trees,
  path: string,
  stat: FileStat,
  links: Map<bigint, string>,
): AsyncGenerator<TarInput> {
  const type = TYPES[stat.mode & S_IFMT];
  if (type === undefined) return;
  const header: TarHeaderInit = { ...headerOf(path, stat), type };
  const first = links.get(stat.ino);
  if (first !== undefined && type !== 'directory') {
    yield { header: { ...header, type: 'hardlink', linkPath: first } };
    return;
  }
  if (stat.nlink > 1 && type !== 'directory') links.set(stat.ino, path);
  const xattrs = portableXattrs(upper, path);
  const capability = xattrs.get(CAPABILITY);
  if (mappings && capability) xattrs.set(CAPABILITY, unmappedCapability(capability));
  if (type === 'symlink') yield { header: { ...header, xattrs, linkPath: upper.readlink(path) } };
  else if (type === 'file') yield* fileInput(upper, path, { ...header, xattrs });
  else yield { header: { ...header, xattrs, devMajor: stat.rdev.major, devMinor: stat.rdev.minor } };
}

const headerOf = (path: string, stat: FileStat): TarHeaderInit => ({
  path,
  mode: stat.mode & 0o7777,
  uid: stat.uid,
  gid: stat.gid,
  size: Number(stat.size),
  mtimeNs: stat.mtimeNs,
});

/** Opens the file before its header goes out, so that one that has vanished leaves no trace. */
async function* fileInput(upper: RootedDir, path: string, header: TarHeaderInit): AsyncGenerator<TarInput> {
  const fd = upper.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    yield { header, body: readChunks(fd) };
  } finally {
    await closeFile(fd);
  }
}

async function* readChunks(fd: number): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await readFile(fd, Buffer.allocUnsafeSlow(READ_BYTES), 0, READ_BYTES, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}
