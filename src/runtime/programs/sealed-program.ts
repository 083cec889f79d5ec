import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { Sys } from '#sys';

/**
 * A copy of a program in memory that nobody can change.
 *
 * crun and runc protect themselves from containers by running as such a copy (CVE-2019-5736): started from a file they
 * make one and run it, which loads them twice each time. Started from one, they see it and go on.
 */
export class SealedProgram {
  readonly #path: string;
  readonly #sys: Pick<Sys, 'files'>;
  #copy: { readonly of: string; readonly path: string } | undefined;

  constructor(path: string, sys: Pick<Sys, 'files'>) {
    this.#path = path;
    this.#sys = sys;
  }

  /**
   * Where to execute it, for any process while this one lives. A program that was replaced on disk (an upgrade) is
   * copied anew; the copy before it stays, a monitor may be about to start it.
   */
  path(): string {
    const { dev, ino, size, mtimeMs } = statSync(this.#path);
    const identity = [dev, ino, size, mtimeMs].join(':');
    if (this.#copy?.of !== identity) {
      const fd = this.#sys.files.sealed(basename(this.#path), readFileSync(this.#path));
      this.#copy = { of: identity, path: `/proc/${process.pid}/fd/${fd}` };
    }
    return this.#copy.path;
  }
}
