import { errorMessage, KeyedMutex, unavailable } from '#base';
import type { OnProgress } from '../types.ts';
import { findProgram, runToEnd } from './command.ts';

const APT_TIMEOUT_MS = 5 * 60_000;
/** apt and dpkg lock their database: two installations of ours must not meet there. */
const installing = new KeyedMutex();

/**
 * Makes sure that a program is on this host, from Debian's package when it is not.
 * @throws `unavailable` when it cannot be installed, with the command that would.
 */
export async function requireProgram(
  program: string,
  debianPackage: string,
  options: { readonly onProgress?: OnProgress | undefined; readonly signal?: AbortSignal | undefined },
): Promise<string> {
  const found = findProgram(program);
  if (found !== undefined) return found;
  await installing.run('apt', () => install(debianPackage, options));
  const installed = findProgram(program);
  if (installed === undefined) throw unavailable(`package ${debianPackage} has no program ${program}`);
  return installed;
}

async function install(
  debianPackage: string,
  {
    onProgress,
    signal,
  }: { readonly onProgress?: OnProgress | undefined; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const hint = `install it by hand: apt-get install ${debianPackage}`;
  if (findProgram('apt-get') === undefined) {
    throw unavailable(`${debianPackage} is needed and this host has no apt-get; ${hint}`);
  }
  onProgress?.({ status: `Installing ${debianPackage}` });
  const options = { timeoutMs: APT_TIMEOUT_MS, signal, env: { DEBIAN_FRONTEND: 'noninteractive' } };
  const apt = ['apt-get', 'install', '-y', '-q', '--no-install-recommends', debianPackage] as const;
  try {
    // Package lists may be there already; without them the first try fails quickly.
    await runToEnd([...apt], options).catch(async () => {
      await runToEnd(['apt-get', 'update', '-q'], options);
      await runToEnd([...apt], options);
    });
  } catch (error) {
    signal?.throwIfAborted();
    throw unavailable(`cannot install ${debianPackage}: ${errorMessage(error)}; ${hint}`, { cause: error });
  }
}
