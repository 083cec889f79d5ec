import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { readdir, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoCode, settleAll } from '#base';
import type { Spec } from '#oci';
import type { Fd, Sys } from '#sys';
import type { RuntimeContext } from './context.ts';
import type { RuntimeNamespace } from './runtime-namespace.ts';

type Namespace = Pick<RuntimeNamespace, 'run' | 'shows'>;

interface StagedMount {
  readonly copy: Fd;
  readonly source: string;
  readonly target: string;
}

/**
 * What one start needs of the host's mounts (root file system, sources of binds, network namespace), brought into the
 * {@link RuntimeNamespace} for it: each as a copy, with all below it and peer of the same mounts, in a directory of this
 * start. To the host these are empty files and directories. Removing them unmounts the copies (detach_mounts of the kernel),
 * so whoever removes what a killed daemon left needs to know nothing of namespaces.
 */
export class StagedMounts implements Disposable {
  readonly #directory: string;
  readonly #namespace: Namespace;
  readonly #sys: Pick<Sys, 'mounts' | 'processes'>;
  readonly #staged: StagedMount[] = [];

  /** `directory` is made at the first mount; mapped users can pass it. */
  constructor(directory: string, namespace: Namespace, sys: Pick<Sys, 'mounts' | 'processes'>) {
    this.#directory = directory;
    this.#namespace = namespace;
    this.#sys = sys;
  }

  /** The spec as it is to be read inside. */
  stage(spec: Spec): Spec {
    const mounts = spec.mounts.map((mount) =>
      mount.type === 'bind' && mount.source !== undefined
        ? { ...mount, source: this.#bring(mount.source) }
        : mount,
    );
    const namespaces = spec.linux.namespaces.map((namespace) =>
      // Those of processes are found below /proc.
      namespace.path === undefined || namespace.path.startsWith('/proc/')
        ? namespace
        : { ...namespace, path: this.#bring(namespace.path) },
    );
    return {
      ...spec,
      root: { ...spec.root, path: this.#bring(spec.root.path) },
      mounts,
      linux: { ...spec.linux, namespaces },
    };
  }

  /** Runs `action` inside, where all that was staged is seen from now on. */
  run<T>(action: () => T): T {
    return this.#namespace.run(() => {
      for (const { copy, target } of this.#staged) this.#sys.mounts.attach(copy, target);
      return action();
    });
  }

  /** A text of the runtime's with the names that the user knows. */
  withSources(text: string): string {
    return this.#staged.reduceRight((named, { source, target }) => named.replaceAll(target, source), text);
  }

  /** Ours are closed; what is attached stays. */
  [Symbol.dispose](): void {
    for (const { copy } of this.#staged) this.#sys.processes.closeFd(copy);
  }

  /** Where `source` is found inside. What is missing keeps its name: the runtime says so. */
  #bring(source: string): string {
    const known = this.#staged.find((staged) => staged.source === source);
    if (known) return known.target;
    try {
      const isDirectory = statSync(source).isDirectory();
      if (!isDirectory && this.#namespace.shows(source)) return source;
      const target = this.#makeMountPoint(isDirectory);
      const copy = this.#sys.mounts.clone(source, { recursive: true });
      this.#staged.push({ copy, source, target });
      return target;
    } catch (error) {
      if (errnoCode(error) === 'ENOENT') return source;
      throw error;
    }
  }

  #makeMountPoint(isDirectory: boolean): string {
    if (this.#staged.length === 0) mkdirSync(this.#directory, { recursive: true, mode: 0o711 });
    const target = join(this.#directory, String(this.#staged.length));
    if (isDirectory) mkdirSync(target, { recursive: true });
    else writeFileSync(target, '');
    return target;
  }
}

/**
 * Takes the mounts of {@link StagedMounts} out of the namespace, from outside of it. Idempotent. Never recursive: where one
 * of them is mounted after all, its mount point is busy and what it shows is left alone.
 */
export async function removeStagedMounts(directory: string): Promise<void> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    await settleAll(
      entries.map((entry) => {
        const path = join(directory, entry.name);
        return entry.isDirectory() ? rmdir(path) : unlink(path);
      }),
    );
    await rmdir(directory);
  } catch (error) {
    // Also when two remove at the same time.
    if (errnoCode(error) !== 'ENOENT') throw error;
  }
}

/** {@link removeStagedMounts} in the background, once a container is made: it may start already. */
export function dropStagedMounts(
  id: string,
  { layout, logger }: Pick<RuntimeContext, 'layout' | 'logger'>,
): void {
  removeStagedMounts(layout.task(id).mounts).catch((error: unknown) =>
    logger.warn("a start's mounts stay until its container is removed", { container: id, error }),
  );
}
