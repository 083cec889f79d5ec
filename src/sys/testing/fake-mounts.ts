import {
  MS_BIND,
  MS_PRIVATE,
  MS_RDONLY,
  MS_REMOUNT,
  MS_SHARED,
  MS_SLAVE,
  MS_UNBINDABLE,
} from '../constants.ts';
import { SysError } from '../errors.ts';
import type { BindOptions, Fd, MountInfo, Mounts, Propagation } from '../types.ts';

const CHANGES = MS_REMOUNT | MS_PRIVATE | MS_SHARED | MS_SLAVE | MS_UNBINDABLE;

/** Holds what no mount of the table does. */
const ROOT = { id: 1, target: '' };

/** A mount table without any effect on files. */
export class FakeMounts implements Mounts {
  #table: MountInfo[] = [];
  #nextId = 100;
  /** Sources of the copies that were made. */
  readonly #copies = new Map<Fd, string>();

  mountOverlay(options: Parameters<Mounts['mountOverlay']>[0]): void {
    const readonly = options.upperdir === undefined;
    const superOptions = [
      readonly ? 'ro' : 'rw',
      ...options.lowerdirs.map((lower) => `lowerdir+=${lower}`),
      ...(options.upperdir === undefined ? [] : [`upperdir=${options.upperdir}`]),
      ...(options.workdir === undefined ? [] : [`workdir=${options.workdir}`]),
      ...(options.lowerMappings?.uids ?? []).map(
        ({ containerID, hostID, size }) => `idmap=${containerID}:${hostID}:${size}`,
      ),
      ...Object.entries(options.options ?? {}).map(([key, value]) =>
        value === '' ? key : `${key}=${value}`,
      ),
    ];
    this.#add({ target: options.target, fstype: 'overlay', source: 'overlay', readonly, superOptions });
  }

  mount(options: Parameters<Mounts['mount']>[0]): void {
    const { source = 'none', target, fstype = '', flags = 0, data } = options;
    if ((flags & CHANGES) !== 0) {
      this.#mounted(target);
      return;
    }
    const superOptions = data === undefined ? [] : data.split(',');
    const type = (flags & MS_BIND) === 0 ? fstype : 'bind';
    this.#add({ target, fstype: type, source, readonly: (flags & MS_RDONLY) !== 0, superOptions });
  }

  bind(source: string, target: string, options: BindOptions = {}): void {
    this.#add({ target, fstype: 'bind', source, readonly: options.readonly === true, superOptions: [] });
    if (options.shared === true) this.setPropagation(target, 'shared');
  }

  clone(source: string): Fd {
    const fd = -100 - this.#copies.size;
    this.#copies.set(fd, source);
    return fd;
  }

  attach(copy: Fd, target: string): void {
    const source = this.#copies.get(copy);
    if (source === undefined) throw new SysError('EBADF', 'move_mount', `target ${JSON.stringify(target)}`);
    this.#add({ target, fstype: 'bind', source, readonly: false, superOptions: [] });
  }

  idOf(path: string): number {
    const holders = this.#table.filter(({ target }) => path === target || path.startsWith(`${target}/`));
    return holders.reduce<Pick<MountInfo, 'id' | 'target'>>(
      (best, mount) => (mount.target.length >= best.target.length ? mount : best),
      ROOT,
    ).id;
  }

  setPropagation(target: string, propagation: Propagation): void {
    const mount = this.#mounted(target);
    const shared = propagation === 'shared' || propagation === 'rshared';
    const changed = { ...mount, propagation: shared ? [`shared:${mount.id}`] : [] };
    this.#table = this.#table.map((other) => (other === mount ? changed : other));
  }

  unmount(target: string): void {
    const mount = this.#mounted(target);
    this.#table = this.#table.filter((other) => other !== mount);
  }

  list(): MountInfo[] {
    return [...this.#table];
  }

  #mounted(target: string): MountInfo {
    const mount = this.#table.findLast((candidate) => candidate.target === target);
    if (mount === undefined) throw new SysError('EINVAL', 'umount2', `target ${JSON.stringify(target)}`);
    return mount;
  }

  #add(mount: {
    target: string;
    fstype: string;
    source: string;
    readonly: boolean;
    superOptions: readonly string[];
  }): void {
    const { readonly, ...rest } = mount;
    const id = this.#nextId++;
    const options = [readonly ? 'ro' : 'rw', 'relatime'];
    this.#table.push({ ...rest, id, parentId: 1, device: `0:${id}`, root: '/', options, propagation: [] });
  }
}
