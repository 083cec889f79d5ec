import type { PathStat } from '#api';
import type { EngineClient } from '#client';
import { cliError } from '../../core/errors.ts';
import { absolute, type CopyArgument, followed, linkDestination } from './names.ts';
import type { CopyDestination, CopySource } from './plan.ts';

/** Bits of Go's `os.FileMode`, which the stat header carries. */
const MODE = { directory: 0x8000_0000, symlink: 0x0800_0000, device: 0x0400_0000, irregular: 0x0008_0000 };

const has = ({ mode }: PathStat, bit: number): boolean => (mode & bit) !== 0;

/** A source in a container, opened. */
export interface OpenedSource {
  readonly source: CopySource;
  readonly archive: AsyncIterable<Uint8Array>;
  /** Ends the transfer when the archive will not be read. */
  discard(): void;
}

/** Opens the archive of a container's file or tree. */
export async function openContainerSource(
  client: EngineClient,
  { container, path: given }: CopyArgument,
  options: { readonly followLink: boolean },
): Promise<OpenedSource> {
  // The engine refuses an empty path; it does not mean everything.
  const path = given === '' ? '' : absolute(given, '/');
  const real = options.followLink ? await followContainerLink(client, container, path) : { path };
  const { stat, body } = await client.containers.readArchive(container, real.path);
  return {
    source: { ...real, isDirectory: has(stat, MODE.directory) },
    archive: body,
    discard: () => body.discard(),
  };
}

async function followContainerLink(
  client: EngineClient,
  container: string,
  path: string,
): Promise<{ readonly path: string; readonly name?: string }> {
  const stat = await client.containers.statPath(container, path).catch(() => undefined);
  if (!stat || !has(stat, MODE.symlink)) return { path };
  return followed(path, linkDestination(path, stat.linkTarget));
}

/** Looks at the place in a container that files shall go to; nothing there is an answer, too. */
export async function containerDestination(
  client: EngineClient,
  argument: CopyArgument,
): Promise<CopyDestination> {
  const { container, path: given } = argument;
  let path = absolute(given, '/');
  const look = () => client.containers.statPath(container, path).catch(() => undefined);
  let stat = await look();
  if (stat && has(stat, MODE.symlink)) {
    path = linkDestination(path, stat.linkTarget);
    stat = await look();
  }
  if (!stat) return { path, kind: 'missing' };
  const problem = has(stat, MODE.device)
    ? 'got a device'
    : has(stat, MODE.irregular) && 'got an irregular file';
  if (problem)
    throw cliError(`destination "${container}:${given}" must be a directory or a regular file: ${problem}`);
  return { path, kind: has(stat, MODE.directory) ? 'directory' : 'file' };
}
