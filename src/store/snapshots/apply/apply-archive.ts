import { errnoCode, errorMessage, GantryError, invalidArgument, TarParser } from '#base';
import type { Digest } from '#oci';
import type { FdOps, Files, RootedDir } from '#sys';
import { storeError } from '../../errors.ts';
import { LayerApplier } from './applier.ts';
import { compressionOf, decompressFile } from './decompress.ts';
import { Growth, readGrowing } from './growing-file.ts';

/** One layer to be applied. Plain data: it travels to the Worker. */
export interface ApplyJob {
  readonly blobPath: string;
  /** Digest of the blob where it has been verified: the diffID of an uncompressed layer without hashing again. */
  readonly blobDigest?: Digest;
  /** The blob is plain and still growing (see growing-file.ts). Its digest is not known yet and not found out here. */
  readonly growth?: SharedArrayBuffer;
  /** An existing empty directory. */
  readonly targetDir: string;
  /** Directories of the layers below, topmost first. */
  readonly parentDirs: readonly string[];
}

export interface ApplyResult {
  /** Undefined for a growing blob. */
  readonly diffId: Digest | undefined;
  readonly sizeBytes: number;
  readonly hasOpaqueRoot: boolean;
}

export interface ApplyContext {
  readonly files: Pick<Files, 'openRoot' | 'syncfs'>;
  readonly fdOps: FdOps;
  /** Asked now and then; true ends the work with `canceled`. */
  readonly isCanceled: () => boolean;
}

/** Kernel errors that a hostile or nonsensical archive provokes, as against a sick machine. */
const INPUT_ERRORS = new Set([
  'EEXIST',
  'EFBIG',
  'EINVAL',
  'EISDIR',
  'ELOOP',
  'EMLINK',
  'ENAMETOOLONG',
  'ENOENT',
  'ENOTDIR',
  'ENOTEMPTY',
  'EPERM',
  'EXDEV',
  'E2BIG',
  'ERANGE',
]);

/**
 * Unpacks one layer: decompresses, hashes and applies in a single pass, then syncs the file system.
 * @throws `invalid_argument` for a broken or hostile archive, `canceled`, `unavailable` for a full disk and the like.
 */
export async function applyArchive(job: ApplyJob, context: ApplyContext): Promise<ApplyResult> {
  using roots = new DisposableStack();
  const open = (path: string): RootedDir => roots.use(context.files.openRoot(path));
  const target = open(job.targetDir);
  const parents = job.parentDirs.map(open);
  using applier = new LayerApplier({ target, parents, fdOps: context.fdOps });
  const parser = new TarParser(applier);
  const { growth, blobPath } = job;
  const knownDiffId = growth || compressionOf(blobPath) !== 'none' ? undefined : job.blobDigest;
  const hasher = growth || knownDiffId !== undefined ? undefined : new Bun.CryptoHasher('sha256');
  const take = (chunk: Uint8Array): void => {
    if (context.isCanceled()) throw new GantryError('canceled', 'applying the layer was canceled');
    hasher?.update(chunk);
    parser.push(chunk);
  };
  try {
    if (growth) readGrowing(blobPath, new Growth(growth), take);
    else await decompressFile(blobPath, take);
    parser.finish();
    applier.finish();
    context.files.syncfs(job.targetDir);
  } catch (error) {
    throw applyError(applier.currentName, error);
  }
  const { sizeBytes, hasOpaqueRoot } = applier;
  const diffId = hasher ? (`sha256:${hasher.digest('hex')}` as Digest) : knownDiffId;
  return { diffId, sizeBytes, hasOpaqueRoot };
}

function applyError(name: string, error: unknown): GantryError {
  const code = errnoCode(error);
  if (code !== undefined && INPUT_ERRORS.has(code))
    return invalidArgument(`invalid layer: ${JSON.stringify(name)}: ${errorMessage(error)}`, {
      cause: error,
    });
  return storeError(`apply layer: ${JSON.stringify(name)}`, error);
}
