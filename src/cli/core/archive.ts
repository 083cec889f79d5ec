import type { Stats } from 'node:fs';
import { errnoCode, errorMessage } from '#base';
import type { CliContext } from './context.ts';
import { cliError, exitCodeOfSignal, silentExit } from './errors.ts';

const TERMINATION = ['SIGINT', 'SIGTERM'];

interface ArchiveOutput {
  /** Empty for standard output. */
  readonly path: string;
  /** What it means when the path is no place for a file. */
  readonly failure: string;
  readonly open: () => Promise<AsyncIterable<Uint8Array>>;
}

/**
 * Writes a stream to a file (through a temporary one beside it, so that neither a failure nor a termination signal leaves
 * anything half-made) or, without a path, to standard output.
 * @throws when standard output is a terminal, and docker's texts for a path that is no place for a file.
 */
export async function writeArchive(ctx: CliContext, { path, failure, open }: ArchiveOutput): Promise<void> {
  if (path === '') {
    if (ctx.stdout.isTerminal) {
      throw cliError('cowardly refusing to save to a terminal. Use the -o flag or redirect');
    }
    for await (const chunk of await open()) await ctx.stdout.write(chunk);
    return;
  }
  await checkOutput(path, failure);
  const source = await open();
  const temporary = `${path}.${process.pid}.tmp`;
  const { promise: interrupted, reject } = Promise.withResolvers<never>();
  using _ = ctx.signals.on(TERMINATION, (signal) => reject(silentExit(exitCodeOfSignal(signal))));
  try {
    await Promise.race([fill(temporary, source), interrupted]);
    await process.getBuiltinModule('node:fs/promises').rename(temporary, path);
  } catch (error) {
    await Bun.file(temporary)
      .delete()
      .catch(() => {});
    throw errnoCode(error) === undefined
      ? error
      : cliError(`failed to write ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

async function fill(path: string, source: AsyncIterable<Uint8Array>): Promise<void> {
  const sink = Bun.file(path).writer();
  for await (const chunk of source) {
    sink.write(chunk);
    await sink.flush();
  }
  await sink.end();
}

/** The rename at the end puts a file in the place of whatever is there: nothing but a file may be. */
async function checkOutput(path: string, failure: string): Promise<void> {
  const { lstat, stat } = process.getBuiltinModule('node:fs/promises');
  const refused = (why: string, cause?: unknown) => cliError(`${failure}: ${why}`, { cause });
  const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) || '/' : '.';
  const directory = await stat(parent).catch((error: unknown) => {
    throw refused(`invalid output path: stat ${parent}: ${reasonOf(error)}`, error);
  });
  if (!directory.isDirectory()) throw refused(`invalid output path: stat ${parent}: not a directory`);
  const there = await lstat(path).catch((error: unknown) => {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw refused(`failed to stat output path: lstat ${path}: ${reasonOf(error)}`, error);
  });
  if (there && !there.isFile()) throw refused(`cannot write to ${kindOf(there)}`);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  EACCES: 'permission denied',
  ENAMETOOLONG: 'file name too long',
};

const reasonOf = (error: unknown): string => REASONS[errnoCode(error) ?? ''] ?? errorMessage(error);

/** What is no regular file, in docker's words. */
function kindOf(there: Stats): string {
  if (there.isDirectory()) return 'a directory';
  if (there.isSymbolicLink()) return 'a symbolic link directly';
  if (there.isFIFO()) return 'a named pipe (FIFO)';
  if (there.isSocket()) return 'a socket';
  return there.isCharacterDevice() ? 'a character device file' : 'a block device file';
}

/** The bytes of a file. @throws docker's text when it cannot be opened. */
export async function openFile(path: string): Promise<AsyncIterable<Uint8Array>> {
  const file = Bun.file(path);
  try {
    const stat = await file.stat();
    if (stat.isDirectory()) throw cliError(`read ${path}: is a directory`);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT')
      throw cliError(`open ${path}: no such file or directory`, { cause: error });
    if (errnoCode(error) === 'EACCES') throw cliError(`open ${path}: permission denied`, { cause: error });
    throw error;
  }
  return file.stream();
}
