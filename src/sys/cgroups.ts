import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { AttachNotice } from './cgroup-attach.ts';
import { ignoring, SysError } from './errors.ts';
import { parseMountInfo, readMountInfo } from './mountinfo.ts';
import type { CgroupMode, Cgroups, MountInfo } from './types.ts';

/** Where to look. Both are for recorded trees in tests; the default is the running kernel. */
export interface CgroupsOptions {
  /** Text of a mountinfo file. */
  readonly mountinfo?: string;
  /** Put before every mount point. */
  readonly root?: string;
}

interface Layout {
  readonly mode: CgroupMode;
  readonly controllers: ReadonlyMap<string, string>;
  readonly unified: string | undefined;
}

/** Super block options of a v1 hierarchy that do not name a controller. */
const NOT_CONTROLLERS = new Set(['rw', 'ro', 'xattr', 'clone_children', 'noprefix', 'cpuset_v2_mode']);

/** The cgroup trees of this machine, whichever version they are. Detected once. */
export function createCgroups(options: CgroupsOptions = {}): Cgroups {
  const mounts = options.mountinfo === undefined ? readMountInfo() : parseMountInfo(options.mountinfo);
  return new KernelCgroups(detectLayout(mounts, options.root ?? ''));
}

function detectLayout(mounts: readonly MountInfo[], root: string): Layout {
  const v1 = mounts.filter((mount) => mount.fstype === 'cgroup');
  const unified = mounts.find((mount) => mount.fstype === 'cgroup2')?.target;
  const controllers = new Map<string, string>();
  for (const { target, superOptions } of v1) {
    for (const option of superOptions) {
      // A hierarchy may be mounted twice; the first is the one everybody uses.
      if (isController(option) && !controllers.has(option)) controllers.set(option, root + target);
    }
  }
  const mode = v1.length === 0 ? 'unified' : unified === undefined ? 'legacy' : 'hybrid';
  return { mode, controllers, unified: unified === undefined ? undefined : root + unified };
}

function isController(option: string): boolean {
  return option !== '' && !NOT_CONTROLLERS.has(option) && !option.startsWith('release_agent=');
}

class KernelCgroups implements Cgroups {
  readonly mode: CgroupMode;
  readonly controllers: ReadonlyMap<string, string>;
  readonly unified: string | undefined;
  readonly #notice: AttachNotice;

  constructor(layout: Layout) {
    this.#notice = new AttachNotice(layout);
    this.mode = layout.mode;
    this.controllers = layout.controllers;
    this.unified = layout.unified;
  }

  directory(controller: string, path: string): string | undefined {
    const mount =
      this.controllers.get(controller) ?? (this.controllers.size === 0 ? this.unified : undefined);
    return mount === undefined ? undefined : join(mount, ...components(path));
  }

  read(controller: string, path: string, file: string): string | undefined {
    const directory = this.directory(controller, path);
    if (directory === undefined) return undefined;
    // ENODEV: the cgroup was removed while the file was open.
    const text = ignoring(['ENOENT', 'ENOTDIR', 'ENODEV'], () =>
      readFileSync(join(directory, fileName(file)), 'utf8'),
    );
    return text?.replace(/\n$/, '');
  }

  write(controller: string, path: string, file: string, value: string): void {
    const directory = this.directory(controller, path);
    if (directory === undefined) throw new SysError('ENOENT', 'open', `cgroup controller "${controller}"`);
    writeExisting(join(directory, fileName(file)), value);
  }

  create(path: string): void {
    const names = components(path);
    for (const mount of this.#hierarchies()) {
      let directory = mount;
      for (const name of names) {
        if (mount === this.unified) enableControllers(directory);
        const child = join(directory, name);
        ignoring(['EEXIST'], () => mkdirSync(child, 0o755));
        if (mount === this.controllers.get('cpuset')) seedCpuset(directory, child);
        directory = child;
      }
    }
  }

  processes(path: string): number[] {
    const found = new Set<number>();
    const names = components(path);
    for (const mount of this.#hierarchies()) collectProcesses(join(mount, ...names), found);
    return [...found].sort((a, b) => a - b);
  }

  kill(path: string): boolean {
    if (this.mode !== 'unified' || this.unified === undefined) return false;
    const file = join(this.unified, ...components(path), 'cgroup.kill');
    return ignoring(['ENOENT', 'ENODEV', 'EOPNOTSUPP'], () => writeExisting(file, '1')) !== undefined;
  }

  remove(path: string): void {
    const names = components(path);
    if (names.length === 0) throw new SysError('EBUSY', 'rmdir', 'cgroup "/"');
    let failure: unknown;
    for (const mount of this.#hierarchies()) {
      try {
        removeDirectories(join(mount, ...names));
      } catch (error) {
        // The other hierarchies are still cleaned.
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
  }

  expectAttach(): void {
    this.#notice.give();
  }

  /** Mount points, each once: v1 controllers may share one. */
  #hierarchies(): Set<string> {
    const mounts = new Set(this.controllers.values());
    if (this.unified !== undefined) mounts.add(this.unified);
    return mounts;
  }
}

/** Splits a cgroup path. One that could leave the tree is refused. */
function components(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..') || path.includes('\0')) {
    throw new SysError('EINVAL', 'cgroup', `path ${JSON.stringify(path)}`);
  }
  return names;
}

function fileName(file: string): string {
  if (!/^[\w.-]+$/.test(file) || file.startsWith('.')) {
    throw new SysError('EINVAL', 'cgroup', `file ${JSON.stringify(file)}`);
  }
  return file;
}

/** One write(2), as cgroup files want it. A file that is not there is an error; it is never created. */
function writeExisting(path: string, value: string): number {
  const fd = openSync(path, constants.O_WRONLY | constants.O_TRUNC);
  try {
    return writeSync(fd, value);
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes every controller of a v2 directory usable in its children. One that cannot be enabled (EOPNOTSUPP: threaded)
 * is left out; its limit files are then missing below. A directory with processes of its own is left alone: the kernel
 * would refuse most of its controllers, and by the rest make it the root of a threaded subtree, whose children take no
 * process and do not list any. Only the root of all (the one without `cgroup.type`) may have both. Source: cgroup-v2.rst.
 */
function enableControllers(directory: string): void {
  const isRoot = !existsSync(join(directory, 'cgroup.type'));
  if (!isRoot && words(join(directory, 'cgroup.procs')).length > 0) return;
  const available = words(join(directory, 'cgroup.controllers'));
  const enabled = new Set(words(join(directory, 'cgroup.subtree_control')));
  for (const controller of available.filter((name) => !enabled.has(name))) {
    ignoring(['EBUSY', 'EOPNOTSUPP', 'ENOENT', 'EINVAL'], () =>
      writeExisting(join(directory, 'cgroup.subtree_control'), `+${controller}`),
    );
  }
}

function words(file: string): string[] {
  const text = ignoring(['ENOENT'], () => readFileSync(file, 'utf8')) ?? '';
  return text.split(/\s+/).filter((word) => word !== '');
}

/** A v1 cpuset starts empty, and no process can enter it before it has processors and memory nodes. */
function seedCpuset(parent: string, child: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (words(join(child, file)).length > 0) continue;
    ignoring(['ENOENT'], () =>
      writeExisting(join(child, file), readFileSync(join(parent, file), 'utf8').trim()),
    );
  }
}

function subdirectories(directory: string): string[] {
  const entries = ignoring(['ENOENT'], () => readdirSync(directory, { withFileTypes: true })) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
}

function collectProcesses(directory: string, found: Set<number>): void {
  // ENODEV: removed meanwhile. EOPNOTSUPP: a threaded cgroup, whose processes are listed by its parent.
  const text = ignoring(['ENOENT', 'ENODEV', 'EOPNOTSUPP'], () =>
    readFileSync(join(directory, 'cgroup.procs'), 'utf8'),
  );
  for (const line of text?.split('\n') ?? []) if (line !== '' && line !== '0') found.add(Number(line));
  for (const child of subdirectories(directory)) collectProcesses(child, found);
}

/** Tried before it is looked into: most have nothing below, and listing one costs more than removing it. */
function removeDirectories(directory: string): void {
  try {
    ignoring(['ENOENT'], () => rmdirSync(directory));
  } catch (error) {
    const children = subdirectories(directory);
    if (children.length === 0) throw error;
    for (const child of children) removeDirectories(child);
    ignoring(['ENOENT'], () => rmdirSync(directory));
  }
}
