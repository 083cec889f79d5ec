import { posix } from 'node:path';
import { SysError } from '../errors.ts';
import type { CgroupMode, Cgroups } from '../types.ts';

const V1_CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids'];

/** Cgroups whose files hold what was written. A file of an existing cgroup need not be there before. */
export class FakeCgroups implements Cgroups {
  readonly mode: CgroupMode;
  readonly controllers: ReadonlyMap<string, string>;
  readonly unified: string | undefined;
  readonly #groups = new Set(['/']);
  readonly #files = new Map<string, string>();

  constructor(mode: CgroupMode) {
    this.mode = mode;
    const names = mode === 'unified' ? [] : V1_CONTROLLERS;
    this.controllers = new Map(names.map((name) => [name, `/sys/fs/cgroup/${name}`]));
    if (mode === 'unified') this.unified = '/sys/fs/cgroup';
    else this.unified = mode === 'hybrid' ? '/sys/fs/cgroup/unified' : undefined;
  }

  directory(controller: string, path: string): string | undefined {
    const mount = this.mode === 'unified' ? this.unified : this.controllers.get(controller);
    return mount === undefined ? undefined : posix.join(mount, normalized(path));
  }

  read(controller: string, path: string, file: string): string | undefined {
    const directory = this.directory(controller, path);
    return directory === undefined ? undefined : this.#files.get(`${directory}/${file}`);
  }

  write(controller: string, path: string, file: string, value: string): void {
    const directory = this.directory(controller, path);
    if (directory === undefined || !this.#groups.has(normalized(path))) {
      throw new SysError('ENOENT', 'open', `cgroup ${JSON.stringify(path)}`);
    }
    this.#files.set(`${directory}/${file}`, value);
  }

  /** Nothing to wait for. */
  expectAttach(): void {}

  create(path: string): void {
    let current = '/';
    for (const name of normalized(path).split('/')) {
      current = posix.join(current, name);
      this.#groups.add(current);
    }
  }

  /** What was last written to `cgroup.procs` of any controller, here and below. */
  processes(path: string): number[] {
    const suffix = normalized(path);
    const found = new Set<number>();
    for (const [file, value] of this.#files) {
      const directory = posix.dirname(file);
      const inside = directory.endsWith(suffix) || directory.includes(`${suffix}/`);
      if (inside && file.endsWith('/cgroup.procs'))
        for (const pid of value.split('\n')) found.add(Number(pid));
    }
    return [...found].sort((a, b) => a - b);
  }

  remove(path: string): void {
    const gone = normalized(path);
    if (gone === '/') throw new SysError('EBUSY', 'rmdir', 'cgroup "/"');
    for (const group of [...this.#groups]) {
      if (group !== gone && !group.startsWith(`${gone}/`)) continue;
      this.#groups.delete(group);
      for (const file of [...this.#files.keys()])
        if (posix.dirname(file).endsWith(group)) this.#files.delete(file);
    }
  }
}

function normalized(path: string): string {
  if (path.split('/').includes('..')) throw new SysError('EINVAL', 'cgroup', `path ${JSON.stringify(path)}`);
  return posix.join('/', path).replace(/(.)\/$/, '$1');
}
