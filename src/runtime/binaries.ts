import { accessSync, constants } from 'node:fs';
import { basename, isAbsolute, join } from 'node:path';
import { invalidArgument, unavailable } from '#base';
import type { RuntimeBinary } from './types.ts';

const SEARCH_PATH = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];
const BUILT_IN = ['crun', 'runc'] as const;

/** Whether it is one of the runtimes whose ways we know. */
export const isKnown = ({ path }: Pick<RuntimeBinary, 'path'>): boolean =>
  BUILT_IN.some((name) => name === basename(path));

/** The absolute path of a program; conmon takes no other. Undefined when it is nowhere. */
export function findProgram(name: string): string | undefined {
  const candidates = isAbsolute(name) ? [name] : SEARCH_PATH.map((directory) => join(directory, name));
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** A runtime of `--add-runtime`: a name or path, and arguments put before each command. */
export type AddedRuntimes = Readonly<
  Record<string, { readonly path: string; readonly args?: readonly string[] }>
>;

/**
 * crun and runc where installed, and those of the configuration, which may replace them.
 * @throws `invalid_argument` for one that cannot be run.
 */
export function findRuntimes(added: AddedRuntimes = {}): Record<string, RuntimeBinary> {
  const found: Record<string, RuntimeBinary> = {};
  for (const name of BUILT_IN) {
    const path = findProgram(name);
    if (path !== undefined) found[name] = { path, args: [] };
  }
  for (const [name, { path, args }] of Object.entries(added)) {
    const program = findProgram(path);
    if (program === undefined) throw invalidArgument(`runtime "${name}": cannot execute "${path}"`);
    found[name] = { path: program, args: args ?? [] };
  }
  return found;
}

/**
 * The runtime used when a container names none.
 * @throws `invalid_argument` for a configured name that does not exist, `unavailable` when there is no runtime at all.
 */
export function chooseDefault(
  runtimes: Readonly<Record<string, RuntimeBinary>>,
  configured: string | undefined,
  crunWorks: boolean,
): string {
  if (configured !== undefined) {
    if (!(configured in runtimes))
      throw invalidArgument(`specified default runtime '${configured}' does not exist`);
    return configured;
  }
  const order = crunWorks ? ['crun', 'runc'] : ['runc', 'crun'];
  const name = order.find((candidate) => candidate in runtimes);
  if (name === undefined) throw unavailable('no OCI runtime found: install crun or runc');
  return name;
}
