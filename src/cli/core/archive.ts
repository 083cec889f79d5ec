import { errnoCode, errorMessage } from '#base';
import type { CliContext } from './context.ts';
import { cliError } from './errors.ts';

interface ArchiveOutput {
  /** Empty for standard output. */
  readonly path: string;
  /** What it means when the path is no place for a file. */
  readonly failure: string;
  readonly open: () => Promise<AsyncIterable<Uint8Array>>;
}

/**
 * Writes a stream to a file (through a temporary one beside it, so that a failure leaves nothing half-made) or, without a
 * path, to standard output.
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
  const file = Bun.file(temporary);
  try {
    const sink = file.writer();
    for await (const chunk of source) {
      sink.write(chunk);
      await sink.flush();
    }
    await sink.end();
    await process.getBuiltinModule('node:fs/promises').rename(temporary, path);
  } catch (error) {
    await file.delete().catch(() => {});
    throw errnoCode(error) === undefined
      ? error
      : cliError(`failed to write ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

/** The rename at the end would put a file in the place of a device. */
async function checkOutput(path: string, failure: string): Promise<void> {
  const statOf = (at: string) =>
    Bun.file(at)
      .stat()
      .catch(() => undefined);
  const there = await statOf(path);
  const refused = (why: string) => cliError(`${failure}: ${why}`);
  if (there?.isDirectory()) throw refused('cannot write to a directory');
  if (there?.isCharacterDevice()) throw refused('cannot write to a character device file');
  if (there?.isBlockDevice()) throw refused('cannot write to a block device file');
  const parent = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) || '/' : '.';
  if (!(await statOf(parent))?.isDirectory())
    throw refused(`invalid output path: stat ${parent}: no such file or directory`);
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
