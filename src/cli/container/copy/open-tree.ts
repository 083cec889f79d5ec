import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  futimesSync,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { encodeName, errnoCode } from '#base';
import { cliError } from '../../core/errors.ts';
import type { Attributes } from './unpack.ts';

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
const PRIVATE_DIRECTORY = 0o700;
const PRIVATE_FILE = 0o600;

interface OpenDirectory {
  readonly name: string;
  readonly fd: number;
}

/**
 * A directory that names are resolved in one component at a time, each opened without following links, so that no name
 * leads out. Names are relative, without `.` and `..`. The way to the last name is kept open.
 */
export class OpenTree implements Disposable {
  readonly #way: OpenDirectory[] = [];
  readonly #root: number;

  /** `directory` itself may be reached through links. @throws when it is not a directory. */
  constructor(directory: string) {
    this.#root = openSync(directory, O_RDONLY | O_DIRECTORY);
  }

  /** True when the directory was not there before. */
  makeDirectory(path: string): boolean {
    if (path === '') return false;
    const { parent, name } = this.#parentOf(path);
    try {
      mkdirSync(at(parent, name), PRIVATE_DIRECTORY);
      return true;
    } catch (error) {
      if (errnoCode(error) !== 'EEXIST') throw error;
    }
    if (!lstatSync(at(parent, name)).isDirectory())
      throw cliError(`cannot overwrite non-directory "${path}" with directory`);
    return false;
  }

  async writeFile(path: string, body: AsyncIterable<Uint8Array>): Promise<void> {
    const { parent, name } = this.#makeRoom(path);
    const fd = openSync(at(parent, name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, PRIVATE_FILE);
    try {
      for await (const chunk of body) writeAll(fd, chunk);
    } finally {
      closeSync(fd);
    }
  }

  makeLink(path: string, target: string, { mtimeNs, owner }: Attributes): void {
    const { parent, name } = this.#makeRoom(path);
    const place = at(parent, name);
    symlinkSync(Buffer.from(encodeName(target)), place);
    if (owner) lchownSync(place, owner.uid, owner.gid);
    lutimesSync(place, seconds(mtimeNs), seconds(mtimeNs));
  }

  makeHardLink(path: string, target: string): void {
    if (path === target) return;
    const { parent, name } = this.#makeRoom(path);
    // A descriptor of its own: the way to the link may be closed on the way to the target.
    const held = openSync(`/proc/self/fd/${parent}`, O_RDONLY | O_DIRECTORY);
    try {
      const existing = this.#parentOf(target);
      linkSync(at(existing.parent, existing.name), at(held, name));
    } catch (error) {
      if (errnoCode(error) === 'ENOENT')
        throw cliError(`hard link "${path}" to "${target}", which is not in the archive`, { cause: error });
      throw error;
    } finally {
      closeSync(held);
    }
  }

  /** Owner, mode and time of a file or directory that was made here. */
  finish(path: string, { mode, mtimeNs, owner }: Attributes): void {
    const fd = path === '' ? this.#root : this.#openLast(path);
    try {
      // The owner first: changing it clears the set-user-ID bits.
      if (owner) fchownSync(fd, owner.uid, owner.gid);
      fchmodSync(fd, mode);
      futimesSync(fd, seconds(mtimeNs), seconds(mtimeNs));
    } finally {
      if (path !== '') closeSync(fd);
    }
  }

  [Symbol.dispose](): void {
    this.#shorten(0);
    closeSync(this.#root);
  }

  #openLast(path: string): number {
    const { parent, name } = this.#parentOf(path);
    return openSync(at(parent, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  }

  /** Removes what has the name, unless it is a directory. */
  #makeRoom(path: string): { parent: number; name: string } {
    if (path === '') throw cliError('cannot overwrite directory with non-directory');
    const found = this.#parentOf(path);
    try {
      unlinkSync(at(found.parent, found.name));
    } catch (error) {
      const code = errnoCode(error);
      if (code === 'EISDIR' || code === 'EPERM')
        throw cliError(`cannot overwrite directory "${path}" with non-directory`, { cause: error });
      if (code !== 'ENOENT') throw error;
    }
    return found;
  }

  /** Opens the way to a name, making the directories that an archive left out. */
  #parentOf(path: string): { parent: number; name: string } {
    const components = path.split('/');
    const name = components.pop() ?? '';
    let common = 0;
    while (common < this.#way.length && this.#way[common]?.name === components[common]) common += 1;
    this.#shorten(common);
    for (const component of components.slice(common)) this.#enter(component);
    return { parent: this.#last(), name };
  }

  #enter(name: string): void {
    const place = at(this.#last(), name);
    try {
      mkdirSync(place, 0o755);
    } catch (error) {
      if (errnoCode(error) !== 'EEXIST') throw error;
    }
    try {
      this.#way.push({ name, fd: openSync(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) });
    } catch (error) {
      const code = errnoCode(error);
      if (code !== 'ENOTDIR' && code !== 'ELOOP') throw error;
      throw cliError(`cannot overwrite non-directory "${name}" with directory`, { cause: error });
    }
  }

  #last(): number {
    return this.#way.at(-1)?.fd ?? this.#root;
  }

  #shorten(length: number): void {
    for (const { fd } of this.#way.splice(length)) closeSync(fd);
  }
}

/** A name in an open directory, as a path: what openat(2) would be. */
const at = (parent: number, name: string): Buffer =>
  Buffer.concat([Buffer.from(`/proc/self/fd/${parent}/`), encodeName(name)]);

const seconds = (nanoseconds: bigint): number => Number(nanoseconds / 1000n) / 1e6;

function writeAll(fd: number, data: Uint8Array): void {
  for (let offset = 0; offset < data.length; ) offset += writeSync(fd, data, offset);
}
