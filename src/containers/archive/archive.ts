import type { Readable } from 'node:stream';
import { createTarStream, errnoCode, type TarInput, TarParser } from '#base';
import type { FdOps } from '#sys';
import { decompress } from './decompress.ts';
import {
  archiveError,
  extractionPointNotDirectory,
  fileNotFound,
  rootfsReadOnly,
  volumeReadOnly,
} from './errors.ts';
import { Extractor } from './extractor.ts';
import { absolutePath, assertsDirectory, withoutAssertion } from './names.ts';
import type { Owner, OwnerMappings } from './ownership.ts';
import { type PackOptions, packEntries } from './pack.ts';
import { find, isDirectory, type PathStat, pathStat } from './path-stat.ts';
import { type ContainerTree, lstat, mountOf } from './tree.ts';

/** Bytes of an archive after which other work of the daemon gets a turn: up to 500 entries. */
const TURN_BYTES = 256 * 1024;

/** A container whose files are read or written. */
export interface ArchiveSource {
  /** The name or ID the user gave, for messages. */
  readonly ref: string;
  /** Opens its file system. Called once per operation; the tree is disposed by the operation. */
  open(): ContainerTree;
  /** User namespace. Default: none. */
  readonly owners?: OwnerMappings;
}

export interface WriteOptions {
  readonly fdOps: FdOps;
  /** Refuse to replace a directory by something else, or the reverse (`noOverwriteDirNonDir`). Default false. */
  readonly noOverwriteDirNonDir?: boolean;
  /**
   * Owner of everything written (`--chown`), as the container sees it. Undefined: the archive's IDs are kept, which is
   * what docker does without `copyUIDGID` and what `cp -a` (`copyUIDGID`) promises.
   */
  readonly owner?: Owner;
  readonly signal?: AbortSignal;
}

/**
 * HEAD archive: what is at `path`. A link at the end is described itself; its target is in `linkTarget`.
 * @throws `not_found` (`Could not find the file X in container Y`), `invalid_argument`.
 */
export function statArchive(source: ArchiveSource, path: string): PathStat {
  try {
    using tree = source.open();
    return pathStat(tree, path, find(tree, path, source.ref));
  } catch (error) {
    throw pathError(source, path, error);
  }
}

/**
 * GET archive: what is at `path` and below it, as a tar named after the last component. The stream ends the operation,
 * however it ends: `onEnd` is called once. Files that change while they are read are cut or filled up to the size first
 * seen; what vanishes meanwhile is left out. @throws as {@link statArchive}; then `onEnd` is not called.
 */
export function readArchive(
  source: ArchiveSource,
  path: string,
  options: Pick<PackOptions, 'wantsXattr'> & { readonly onEnd?: () => void } = {},
): { readonly stat: PathStat; readonly stream: Readable } {
  const { onEnd, ...packOptions } = options;
  let tree: ContainerTree | undefined;
  try {
    tree = source.open();
    const absolute = absolutePath(path);
    const found = find(tree, absolute, source.ref);
    const stat = pathStat(tree, absolute, found);
    const entries = packEntries(tree, absolute, found, { owners: source.owners ?? {}, ...packOptions });
    const stream = createTarStream(withContext(entries, path), { onSizeMismatch: 'fit' });
    const open = tree;
    // Also when nobody ever reads from it.
    stream.once('close', () => {
      open[Symbol.dispose]();
      onEnd?.();
    });
    return { stat, stream };
  } catch (error) {
    tree?.[Symbol.dispose]();
    throw pathError(source, path, error);
  }
}

/**
 * PUT archive: unpacks `body` (a tar, also gzip, zstd, bzip2 or xz) into the directory `path`. What was written before an
 * error stays.
 * @throws `not_found` (`Could not find the file X in container Y`), `invalid_argument` (`extraction point is not a directory`,
 * `cannot overwrite …`, broken or hostile archives), `forbidden` (`container rootfs is marked read-only`, `mounted volume is
 * marked read-only`), `conflict` for a mount that would have to go.
 */
export async function writeArchive(
  source: ArchiveSource,
  path: string,
  body: AsyncIterable<Uint8Array>,
  options: WriteOptions,
): Promise<void> {
  using tree = openFor(source, path);
  const directory = extractionPoint(tree, source, path);
  using extractor = new Extractor({
    tree,
    directory,
    fdOps: options.fdOps,
    owners: source.owners ?? {},
    noOverwriteDirNonDir: options.noOverwriteDirNonDir ?? false,
    ...(options.owner ? { owner: options.owner } : {}),
  });
  const parser = new TarParser(extractor);
  try {
    let sinceTurn = 0;
    for await (const chunk of decompress(body)) {
      options.signal?.throwIfAborted();
      parser.push(chunk);
      sinceTurn += chunk.length;
      if (sinceTurn < TURN_BYTES) continue;
      sinceTurn = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
    parser.finish();
    extractor.finish();
  } catch (error) {
    throw archiveError('unpack', JSON.stringify(extractor.currentName), error);
  }
}

function openFor(source: ArchiveSource, path: string): ContainerTree {
  try {
    return source.open();
  } catch (error) {
    throw pathError(source, path, error);
  }
}

function extractionPoint(tree: ContainerTree, source: ArchiveSource, path: string): string {
  try {
    const resolved = tree.resolve(withoutAssertion(absolutePath(path)));
    const stat = lstat(tree, resolved);
    if (!stat || !isDirectory(stat)) throw extractionPointNotDirectory();
    const mount = mountOf(tree, resolved);
    if (mount.readOnly) throw mount.target === '/' ? rootfsReadOnly() : volumeReadOnly();
    return resolved;
  } catch (error) {
    if (errnoCode(error) === 'ENOTDIR') throw extractionPointNotDirectory();
    throw pathError(source, path, error);
  }
}

async function* withContext(entries: AsyncGenerator<TarInput>, path: string): AsyncGenerator<TarInput> {
  try {
    yield* entries;
  } catch (error) {
    throw archiveError('archive', path, error);
  }
}

function pathError(source: ArchiveSource, path: string, error: unknown): unknown {
  const code = errnoCode(error);
  const isMissing = code === 'ENOENT' || (code === 'ENOTDIR' && !assertsDirectory(path));
  return isMissing ? fileNotFound(path, source.ref) : archiveError('lstat', path, error);
}
