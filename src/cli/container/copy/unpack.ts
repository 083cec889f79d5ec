import { readTar, type TarEntry, type TarHeader } from '#base';
import { cliError } from '../../core/errors.ts';
import { OpenTree } from './open-tree.ts';

export interface UnpackOptions {
  /** Existing directory. */
  readonly directory: string;
  /** A member's name below the directory. */
  readonly rename: (path: string) => string;
  /** Keep owners, and the set-user-ID bits that only they give a meaning. */
  readonly keepOwners: boolean;
  /** Gives everything to this owner. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Says what could not be made. */
  readonly warn: (text: string) => Promise<void>;
}

const SET_ID_BITS = 0o6000;

/**
 * Unpacks an archive that a container may have shaped: every name is resolved below `directory` without following a
 * link, whoever made it. Links are made as they are, hard links only to what is below, devices not at all.
 * What is in the way is replaced, but never a directory by something else or the other way round.
 * @throws for names that lead out, and when the file system refuses.
 */
export async function unpack(archive: AsyncIterable<Uint8Array>, options: UnpackOptions): Promise<void> {
  using tree = new OpenTree(options.directory);
  const directories: TarHeader[] = [];
  for await (const entry of readTar(archive)) {
    const path = memberPath(options.rename(entry.header.path));
    const header = { ...entry.header, path };
    if (header.type === 'directory') {
      const isNew = tree.makeDirectory(path);
      // The user's own directory keeps its mode, unless it was asked to become a copy.
      if (isNew || path !== '' || options.keepOwners) directories.push(header);
    } else {
      await place(tree, header, entry, options);
    }
  }
  // Last, so that a directory without write permission can be filled, and times are not changed by filling.
  for (const header of directories.reverse()) tree.finish(header.path, attributes(header, options));
}

async function place(
  tree: OpenTree,
  header: TarHeader,
  entry: TarEntry,
  options: UnpackOptions,
): Promise<void> {
  switch (header.type) {
    case 'file':
      await tree.writeFile(header.path, entry.body);
      return tree.finish(header.path, attributes(header, options));
    case 'symlink':
      return tree.makeLink(header.path, header.linkPath, attributes(header, options));
    case 'hardlink':
      return tree.makeHardLink(header.path, memberPath(options.rename(header.linkPath)));
    default:
      return await options.warn(`skipped ${header.path}: devices and pipes are not copied\n`);
  }
}

export interface Attributes {
  readonly mode: number;
  readonly mtimeNs: bigint;
  /** Undefined leaves it to whoever unpacks. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
}

function attributes(header: TarHeader, { keepOwners, owner }: UnpackOptions): Attributes {
  const isOwnerKnown = keepOwners || owner !== undefined;
  return {
    mode: isOwnerKnown || header.type === 'directory' ? header.mode : header.mode & ~SET_ID_BITS,
    mtimeNs: header.mtimeNs,
    owner: owner ?? (keepOwners ? { uid: header.uid, gid: header.gid } : undefined),
  };
}

/** A name below the directory; empty is the directory itself. @throws for one that climbs out. */
function memberPath(name: string): string {
  const components = name.split('/').filter((component) => component !== '' && component !== '.');
  if (components.includes('..'))
    throw cliError(`name ${JSON.stringify(name)} in the archive leads out of the directory`);
  return components.join('/');
}
