import { closeSync, constants, mkdirSync, openSync, statSync, writeFileSync } from 'node:fs';
import { readdir, rmdir, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoCode, settleAll } from '#base';
import type { Spec } from '#oci';
import { type Fd, O_CLOEXEC, type Sys } from '#sys';
import type { RuntimeContext } from './context.ts';
import type { RuntimeNamespace } from './runtime-namespace.ts';

type Namespace = Pick<RuntimeNamespace, 'run' | 'shows' | 'cloneUnbindable'>;

interface StagedMount {
  readonly copy: Fd;
  readonly source: string;
  readonly target: string;
}

/**
 * What one start needs of the host's mounts (root file system, sources of binds), brought into the {@link RuntimeNamespace}
 * for it: each as a copy, with all below it and peer of the same mounts, at a path of this start. To the host these are empty
 * files and directories. Removing them unmounts the copies (detach_mounts of the kernel), so whoever removes what a killed
 * daemon left needs to know nothing of namespaces. Namespaces that the container joins are held open for it instead.
 */
export class StagedMounts implements Disposable {
  readonly #prefix: string;
  readonly #namespace: Namespace;
  readonly #sys: Pick<Sys, 'mounts' | 'processes'>;
  readonly #staged: StagedMount[] = [];
  readonly #joined: Fd[] = [];

  /** Mount points are called `<prefix>.<number>`. */
  constructor(prefix: string, namespace: Namespace, sys: Pick<Sys, 'mounts' | 'processes'>) {
    this.#prefix = prefix;
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
      namespace.path === undefined ? namespace : { ...namespace, path: this.#hold(namespace.path) },
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
    for (const fd of this.#joined) closeSync(fd);
  }

  /** Where the namespace at `path` is found inside until disposal. Those of processes are found below /proc. */
  #hold(path: string): string {
    if (path.startsWith('/proc/')) return path;
    const fd = openSync(path, constants.O_RDONLY | O_CLOEXEC);
    this.#joined.push(fd);
    return `/proc/${process.pid}/fd/${fd}`;
  }

  /** Where `source` is found inside. What is missing keeps its name: the runtime says so. */
  #bring(source: string): string {
    const known = this.#staged.find((staged) => staged.source === source);
    if (known) return known.target;
    try {
      const isDirectory = statSync(source).isDirectory();
      if (!isDirectory && this.#namespace.shows(source)) return source;
      const target = `${this.#prefix}.${this.#staged.length}`;
      if (isDirectory) mkdirSync(target, { recursive: true });
      else writeFileSync(target, '');
      this.#staged.push({ copy: this.#copy(source), source, target });
      return target;
    } catch (error) {
      if (errnoCode(error) === 'ENOENT') return source;
      throw error;
    }
  }

  #copy(source: string): Fd {
    try {
      return this.#sys.mounts.clone(source, { recursive: true });
    } catch (error) {
      if (errnoCode(error) !== 'EINVAL') throw error;
      return this.#namespace.cloneUnbindable(source);
    }
  }
}

/**
 * Takes the mounts of {@link StagedMounts} out of the namespace, from outside of it. Idempotent. Never recursive: where one
 * of them is mounted after all, its mount point is busy and what it shows is left alone.
 */
export async function removeStagedMounts(prefix: string): Promise<void> {
  const directory = dirname(prefix);
  const entries = await readdir(directory, { withFileTypes: true });
  const ours = entries.filter(({ name }) => name.startsWith(`${basename(prefix)}.`));
  await settleAll(
    ours.map(async (entry) => {
      const path = join(directory, entry.name);
      try {
        await (entry.isDirectory() ? rmdir(path) : unlink(path));
      } catch (error) {
        // Two may remove at the same time.
        if (errnoCode(error) !== 'ENOENT') throw error;
      }
    }),
  );
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
