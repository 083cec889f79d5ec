import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode, errorMessage, type Logger, setAside, stringifyExactJson } from '#base';
import { type Digest, digestHex, digestOf, type Seccomp } from '#oci';
import { writeAtomically } from '../record.ts';
import type { CompiledSeccomp } from '../types.ts';
import { needsRuntime } from './actions.ts';

/** Part of every key: raise it when the compiler's output changes for the same input. */
const FORMAT = 1;
const DIGEST_BYTES = 32;
/** Filters kept in memory; a machine uses a handful. */
const MAX_IN_MEMORY = 64;

export interface FilterCacheOptions {
  /** Default place: the data root, so that a reboot costs no compiling. */
  readonly directory: string;
  readonly logger: Logger;
  readonly libraryVersion: string;
  readonly compile: (seccomp: Seccomp) => Promise<Uint8Array>;
}

/**
 * Compiled filters by what went into them: the resolved profile (so: profile, capabilities, kernel), the architecture
 * and the library's version. A damaged file is set aside and compiled anew.
 */
export class FilterCache {
  readonly #options: FilterCacheOptions;
  readonly #filters = new Map<Digest, Promise<CompiledSeccomp>>();

  constructor(options: FilterCacheOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true, mode: 0o700 });
  }

  /** Undefined when the filter cannot be compiled here; the runtime then gets it as JSON and says what is wrong. */
  async get(seccomp: Seccomp): Promise<CompiledSeccomp | undefined> {
    if (usesNotification(seccomp)) return undefined;
    const key = this.#keyOf(seccomp);
    const known = this.#filters.get(key);
    const filter = known ?? this.#load(key, seccomp);
    if (!known) this.#remember(key, filter);
    try {
      return await filter;
    } catch (error) {
      this.#filters.delete(key);
      this.#options.logger.warn('cannot compile a seccomp profile', { reason: errorMessage(error) });
      return undefined;
    }
  }

  #keyOf(seccomp: Seccomp): Digest {
    const parts = [FORMAT, this.#options.libraryVersion, process.arch, seccomp];
    return digestOf(new TextEncoder().encode(stringifyExactJson(parts)));
  }

  #remember(key: Digest, filter: Promise<CompiledSeccomp>): void {
    const oldest = this.#filters.keys().next().value;
    if (this.#filters.size >= MAX_IN_MEMORY && oldest) this.#filters.delete(oldest);
    this.#filters.set(key, filter);
  }

  async #load(key: Digest, seccomp: Seccomp): Promise<CompiledSeccomp> {
    const path = join(this.#options.directory, `${digestHex(key)}.bpf`);
    const stored = readVerified(path, this.#options.logger);
    if (stored) return { key, bpf: stored };
    const bpf = await this.#options.compile(seccomp);
    this.#store(path, bpf);
    return { key, bpf };
  }

  #store(path: string, bpf: Uint8Array): void {
    try {
      writeAtomically(path, Buffer.concat([checksum(bpf), bpf]));
    } catch (error) {
      // A full disk must not stop a container from starting.
      rmSync(path, { force: true });
      this.#options.logger.warn('cannot keep a compiled seccomp profile', { reason: errorMessage(error) });
    }
  }
}

const usesNotification = (seccomp: Seccomp): boolean =>
  needsRuntime(seccomp.defaultAction) || (seccomp.syscalls ?? []).some(({ action }) => needsRuntime(action));

const checksum = (bytes: Uint8Array): Buffer => Buffer.from(digestHex(digestOf(bytes)), 'hex');

/** The file's content behind its checksum. Undefined when it is missing or damaged. */
function readVerified(path: string, logger: Logger): Uint8Array | undefined {
  let content: Buffer;
  try {
    content = readFileSync(path);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const bpf = content.subarray(DIGEST_BYTES);
  const intact =
    bpf.length > 0 && bpf.length % 8 === 0 && content.subarray(0, DIGEST_BYTES).equals(checksum(bpf));
  if (intact) return bpf;
  logger.warn('a damaged seccomp filter is compiled anew', { file: path, aside: setAside(path) });
  return undefined;
}
