import { readFileSync, rmSync } from 'node:fs';
import { errnoCode, type Logger, setAside } from '#base';
import type { Sys } from '#sys';
import { removeEmptyCgroup } from './cgroup-policy.ts';
import { writeAtomically } from './record.ts';

/** The default parent is ours by its name, whichever of our daemons had it made. */
export const DEFAULT_CGROUP_PARENT = '/gantry';

/**
 * Cgroups that exist only because containers were put below them: the runtimes make them, {@link remove} takes them away.
 * One that was there before is its administrator's, limits included. They are written down, for a successor to know them.
 */
export class CgroupParents {
  readonly #file: string;
  readonly #sys: Pick<Sys, 'cgroups' | 'processes'>;
  readonly #made: Set<string>;

  /** `file` lies where nothing survives a reboot, as cgroups do not. */
  constructor(file: string, { sys, logger }: { sys: Pick<Sys, 'cgroups' | 'processes'>; logger: Logger }) {
    this.#file = file;
    this.#sys = sys;
    this.#made = new Set([DEFAULT_CGROUP_PARENT, ...readPaths(file, logger)]);
  }

  /** Before a container is put below `path`. */
  use(path: string): void {
    const missing = withAncestors(path).filter((each) => !this.#made.has(each) && !this.#exists(each));
    if (missing.length === 0) return;
    for (const each of missing) this.#made.add(each);
    writeAtomically(this.#file, JSON.stringify([...this.#made]));
  }

  /** Removes those that are empty. Only while no container is being made. */
  remove(): void {
    const innermostFirst = [...this.#made].sort((a, b) => b.length - a.length);
    for (const path of innermostFirst) removeEmptyCgroup(path, this.#sys);
    this.#made.clear();
    rmSync(this.#file, { force: true });
  }

  #exists(path: string): boolean {
    const { cgroups } = this.#sys;
    const controllers = cgroups.mode === 'unified' ? [''] : [...cgroups.controllers.keys()];
    return controllers.some((controller) => cgroups.read(controller, path, 'cgroup.procs') !== undefined);
  }
}

/** `/a/b` and `/a`. */
function withAncestors(path: string): string[] {
  const names = path.split('/').filter(Boolean);
  return names.map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
}

/** A damaged file is set aside: what it named stays, an empty cgroup at the worst. */
function readPaths(file: string, logger: Logger): string[] {
  let paths: unknown;
  try {
    paths = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return [];
    if (!(error instanceof SyntaxError)) throw error;
  }
  if (Array.isArray(paths) && paths.every((path) => typeof path === 'string')) return paths;
  logger.warn('the list of cgroups that we made is damaged', { file, aside: setAside(file) });
  return [];
}
