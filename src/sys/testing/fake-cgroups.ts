import { posix } from 'node:path';
import { SysError } from '../errors.ts';
import type { CgroupMode, Cgroups } from '../types.ts';

const V1_CONTROLLERS = ['cpu', 'cpuacct', 'cpuset', 'memory', 'devices', 'freezer', 'blkio', 'pids'];

/** Files at the root by which one tells what a kernel has; all of them are there, empty. */
const V1_ROOT_FILES: Readonly<Record<string, readonly string[]>> = {
  memory: ['limit_in_bytes', 'memsw.limit_in_bytes', 'swappiness', 'soft_limit_in_bytes', 'oom_control'],
  cpu: ['shares', 'cfs_quota_us', 'rt_period_us'],
  cpuset: ['cpus', 'mems'],
  blkio: [
    'weight',
    ...['read_bps', 'write_bps', 'read_iops', 'write_iops'].map((n) => `throttle.${n}_device`),
  ],
};

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
    this.#fillRoot();
  }

  #fillRoot(): void {
    if (this.mode === 'unified') {
      this.write('', '/', 'cgroup.controllers', 'cpuset cpu io memory pids');
      return;
    }
    for (const [controller, files] of Object.entries(V1_ROOT_FILES))
      for (const file of files) this.write(controller, '/', `${controller}.${file}`, '');
    this.write('pids', '/', 'cgroup.procs', '');
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

  /** Its processes are other fakes: as on a kernel before 5.14. */
  kill(): boolean {
    return false;
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
