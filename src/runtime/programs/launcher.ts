import { errorMessage, type Logger } from '#base';
import type { Sys } from '#sys';
import { isKnown } from '../binaries.ts';
import type { RuntimeBinary } from '../types.ts';
import { SealedProgram } from './sealed-program.ts';
import { standInLibrary } from './stand-in-library.ts';
import { SYSTEMD_FUNCTIONS, SYSTEMD_SONAME } from './systemd-functions.ts';

/** A runtime as it is started. */
export interface Launch {
  /** The program to execute; absolute. */
  readonly program: string;
  /** For the runtime, and for the monitor that starts it. */
  readonly env: Readonly<Record<string, string>>;
}

/** A runtime with the way to start it; without one it is started by its path. */
export interface LaunchableRuntime extends RuntimeBinary {
  readonly launch?: Launch;
}

const PROBE_DEADLINE_MS = 5000;

/**
 * Starts conmon and the runtimes with as little work and memory as possible: from sealed copies
 * ({@link SealedProgram}), and without libsystemd and the six libraries behind it, for which a page of stand-ins is
 * preloaded. Half of a monitor's private memory and a third of the time to load crun are theirs, and nothing of them is
 * used: we have crun on cgroup files and conmon without the journal. Runtimes of the configuration get none of this.
 */
export class Launcher {
  readonly #sys: Pick<Sys, 'files'>;
  readonly #logger: Logger;
  readonly #copies = new Map<string, SealedProgram>();
  readonly #preload: string | undefined;

  /** `programs` are tried out with the stand-ins: conmon and crun, where installed. */
  constructor(sys: Pick<Sys, 'files'>, logger: Logger, programs: readonly string[]) {
    this.#sys = sys;
    this.#logger = logger;
    this.#preload = this.#makePreload(programs);
  }

  launch(runtime: RuntimeBinary): Launch {
    if (!isKnown(runtime) || runtime.args.length > 0) return { program: runtime.path, env: {} };
    return {
      program: this.#sealed(runtime.path),
      env: this.#preload === undefined ? {} : { LD_PRELOAD: this.#preload },
    };
  }

  #sealed(path: string): string {
    const copy = this.#copies.get(path) ?? new SealedProgram(path, this.#sys);
    this.#copies.set(path, copy);
    try {
      return copy.path();
    } catch (error) {
      this.#logger.warn('a runtime is started from its file', { path, reason: errorMessage(error) });
      return path;
    }
  }

  #makePreload(programs: readonly string[]): string | undefined {
    try {
      const library = standInLibrary(SYSTEMD_SONAME, SYSTEMD_FUNCTIONS);
      if (!library) return undefined;
      const path = `/proc/${process.pid}/fd/${this.#sys.files.sealed(SYSTEMD_SONAME, library)}`;
      const refusing = programs.find((program) => !worksWith(program, path));
      if (refusing === undefined) return path;
      this.#logger.debug('programs are loaded with libsystemd', { refusing });
    } catch (error) {
      this.#logger.debug('programs are loaded with libsystemd', { reason: errorMessage(error) });
    }
    return undefined;
  }
}

/** Whether every symbol that the program and its libraries look for is found, and the loader complains of nothing. */
function worksWith(program: string, preload: string): boolean {
  const { exitCode, stderr } = Bun.spawnSync([program, '--version'], {
    env: { LD_PRELOAD: preload, LD_BIND_NOW: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: PROBE_DEADLINE_MS,
  });
  return exitCode === 0 && stderr.length === 0;
}
