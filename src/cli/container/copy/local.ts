import { type BigIntStats, constants } from 'node:fs';
import { lstat, open, readdir, readlink, realpath, stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { decodeName, encodeName, errnoCode, type TarHeaderInit, type TarInput } from '#base';
import { cliError } from '../../core/errors.ts';
import { absolute, followed, linkDestination, splitPath } from './names.ts';
import type { CopyDestination, CopySource } from './plan.ts';

const READ_BYTES = 256 * 1024;
const MAX_LINKS = 10;

/** Names as the kernel has them, also those that are not UTF-8. */
const native = (path: string): Buffer => Buffer.from(encodeName(path));

/** What to copy from this machine. @throws docker's text when nothing is there. */
export async function localSource(
  argument: string,
  workingDirectory: string,
  options: { readonly followLink: boolean },
): Promise<CopySource> {
  const path = absolute(argument, workingDirectory);
  const { directory, base } = splitPath(path);
  const source = options.followLink
    ? followed(path, await resolve(path))
    : { path: base === '' ? path : joined(await resolve(directory), path) };
  const found = await look(source.path);
  return { path: source.path, name: source.name, isDirectory: found.isDirectory() };
}

/** The last component of `path`, with what it says about a directory, below another directory. */
function joined(directory: string, path: string): string {
  const tail = path.endsWith('/.') ? '/.' : path.slice(path.replace(/\/$/, '').lastIndexOf('/'));
  return directory === '/' ? tail : `${directory}${tail}`;
}

async function resolve(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    throw missing(path, error);
  }
}

async function look(path: string): Promise<BigIntStats> {
  try {
    return await lstat(native(path), { bigint: true });
  } catch (error) {
    throw missing(path, error);
  }
}

function missing(path: string, error: unknown): unknown {
  const code = errnoCode(error);
  if (code === 'ENOENT') return cliError(`lstat ${path}: no such file or directory`, { cause: error });
  if (code === 'ENOTDIR') return cliError(`lstat ${path}: not a directory`, { cause: error });
  return code === 'EACCES' ? cliError(`lstat ${path}: permission denied`, { cause: error }) : error;
}

/** Where to copy to on this machine. @throws docker's texts for a place that cannot take files. */
export async function localDestination(argument: string, workingDirectory: string): Promise<CopyDestination> {
  const path = absolute(argument, workingDirectory);
  const parent = posix.dirname(posix.resolve(path));
  if (!(await stat(parent).catch(() => undefined)))
    throw cliError(`invalid output path: directory "${parent}" does not exist`);
  return await followDestination(path, MAX_LINKS);
}

async function followDestination(path: string, linksLeft: number): Promise<CopyDestination> {
  // Without the trailing slash, so that a link is seen as one.
  const found = await lstat(posix.resolve(path)).catch((error: unknown) => {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (!found) return { path, kind: 'missing' };
  if (found.isSymbolicLink()) {
    if (linksLeft === 0) throw cliError(`too many symlinks in ${path}`);
    const target = linkDestination(posix.resolve(path), await readlink(posix.resolve(path)));
    return await followDestination(target, linksLeft - 1);
  }
  if (found.isDirectory()) return { path, kind: 'directory' };
  if (found.isFile()) return { path, kind: 'file' };
  const what = found.isBlockDevice() || found.isCharacterDevice() ? 'a device' : 'an irregular file';
  throw cliError(`invalid output path: "${path}" must be a directory or a regular file: got ${what}`);
}

/** The archive members of a local file or tree, the first of them called `name`. Sockets are left out. */
export async function* packLocal(source: CopySource, name: string): AsyncGenerator<TarInput> {
  const root = source.path === '/' ? '/' : source.path.replace(/(\/\.?)$/, '');
  yield* pack(root === '' ? '/' : root, name, new Map());
}

async function* pack(path: string, name: string, links: Map<string, string>): AsyncGenerator<TarInput> {
  const found = await look(path);
  const header = await describe(path, name, found);
  if (!header) return;
  const first = found.nlink > 1n && !found.isDirectory() ? links.get(`${found.dev}:${found.ino}`) : undefined;
  if (first !== undefined) {
    yield { header: { ...header, type: 'hardlink', linkPath: first, size: 0 } };
    return;
  }
  links.set(`${found.dev}:${found.ino}`, name);
  if (header.type === 'file') yield { header, body: contents(path) };
  else yield { header };
  if (!found.isDirectory()) return;
  const children = (await readdir(native(path), { encoding: 'buffer' })).map((child) => decodeName(child));
  for (const child of children.sort()) {
    const below = path === '/' ? `/${child}` : `${path}/${child}`;
    yield* pack(below, name === '' ? child : `${name}/${child}`, links);
  }
}

async function describe(path: string, name: string, found: BigIntStats): Promise<TarHeaderInit | undefined> {
  const header = {
    path: name,
    mode: Number(found.mode) & 0o7777,
    uid: Number(found.uid),
    gid: Number(found.gid),
    mtimeNs: found.mtimeNs,
  };
  if (found.isFile()) return { ...header, type: 'file', size: Number(found.size) };
  if (found.isDirectory()) return { ...header, type: 'directory' };
  if (found.isSymbolicLink())
    return {
      ...header,
      type: 'symlink',
      linkPath: decodeName(await readlink(native(path), { encoding: 'buffer' })),
    };
  if (found.isFIFO()) return { ...header, type: 'fifo' };
  if (found.isSocket()) return undefined;
  const type = found.isBlockDevice() ? 'block' : 'character';
  return { ...header, type, ...deviceNumber(found.rdev) };
}

/** makedev(3) of Linux, taken apart. */
function deviceNumber(rdev: bigint): Pick<TarHeaderInit, 'devMajor' | 'devMinor'> {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return { devMajor: Number(major), devMinor: Number(minor) };
}

async function* contents(path: string): AsyncGenerator<Uint8Array> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  await using file = await open(native(path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafeSlow(READ_BYTES), 0, READ_BYTES, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}
