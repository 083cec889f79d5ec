import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readTar, type TarHeader, type TarInput, writeTar } from '#base';
import { createFakeSys, type FakeSys } from '#sys/testing';
import { type ArchiveSource, readArchive, type WriteOptions, writeArchive } from '../archive.ts';
import type { OwnerMappings } from '../ownership.ts';
import { openStoppedTree, type StoppedTreeOptions } from '../stopped-tree.ts';

/** A stopped container named `web` on a temporary directory. Ownership and devices are the fake's. */
export interface World extends Disposable {
  readonly sys: FakeSys;
  readonly dir: string;
  readonly rootfs: string;
  source(changes?: Partial<StoppedTreeOptions> & { readonly owners?: OwnerMappings }): ArchiveSource;
  read(path: string, source?: ArchiveSource): Promise<Member[]>;
  write(
    path: string,
    members: readonly TarInput[],
    options?: Partial<WriteOptions>,
    source?: ArchiveSource,
  ): Promise<void>;
}

/** A member of an archive with its content. */
export interface Member {
  readonly header: TarHeader;
  readonly content: string;
}

export function createWorld(): World {
  const sys = createFakeSys();
  const dir = mkdtempSync(join(tmpdir(), 'gantry-archive-'));
  const rootfs = join(dir, 'rootfs');
  mkdirSync(rootfs);
  const source: World['source'] = ({ owners, ...changes } = {}) => ({
    ref: 'web',
    ...(owners ? { owners } : {}),
    open: () => openStoppedTree(sys.files, { rootfs, readonlyRootfs: false, mounts: [], ...changes }),
  });
  return {
    sys,
    dir,
    rootfs,
    source,
    read: async (path, from = source()) => readMembers(readArchive(from, path).stream),
    write: (path, members, options = {}, to = source()) =>
      writeArchive(to, path, writeTar(members), { fdOps: sys.fdOps, ...options }),
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

export async function readMembers(stream: AsyncIterable<Uint8Array>): Promise<Member[]> {
  const members: Member[] = [];
  for await (const entry of readTar(stream))
    members.push({ header: entry.header, content: Buffer.from(await entry.bytes(1e8)).toString() });
  return members;
}

export const namesOf = (members: readonly Member[]): string[] => members.map(({ header }) => header.path);
