import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSys } from '#sys';
import { type ArchiveSource, openLiveTree } from '../../../src/containers/archive/index.ts';

const sys = createSys();

/** A process in a mount namespace and root of its own: what a runtime makes of a container, without the rest. */
export interface TestContainer extends AsyncDisposable {
  readonly pid: number;
  /** Part of its cgroup's name, as the container's ID is. */
  readonly id: string;
  readonly dir: string;
  /** Host path of its root file system. */
  readonly rootfs: string;
  /** Bound to `/vol`. */
  readonly volume: string;
  readonly source: ArchiveSource;
  /** Ends the process; the files stay. */
  kill(): Promise<void>;
}

export interface ContainerOptions {
  readonly readonlyRootfs?: boolean;
  /** Fills the root file system before it is mounted. */
  readonly prepare?: (rootfs: string, volume: string) => void;
}

/**
 * Starts one: `/vol` a volume, `/ro` the same read-only, `/tmpfs` a tmpfs that holds `only-here`, `/proc`, and the file
 * `/etc/hosts` bound from the host.
 */
export async function startContainer(options: ContainerOptions = {}): Promise<TestContainer> {
  const dir = mkdtempSync(join(tmpdir(), 'gantry-archive-'));
  const [rootfs, volume] = [join(dir, 'rootfs'), join(dir, 'volume')];
  const names = ['vol', 'ro', 'tmpfs', 'proc', 'etc', 'bin', '.old', 'run', 'var'];
  for (const path of [rootfs, volume, ...names.map((name) => join(rootfs, name))]) mkdirSync(path);
  writeFileSync(join(rootfs, 'etc/hosts'), '');
  writeFileSync(join(dir, 'hosts'), 'bound');
  options.prepare?.(rootfs, volume);
  const script = `
    set -e
    cp /bin/busybox bin/busybox
    mount --bind . .
    cd "$PWD"
    mount -t tmpfs tmpfs tmpfs; echo inside > tmpfs/only-here
    mount --bind ../volume vol
    mount --bind ../volume ro; mount -o remount,bind,ro ro
    mount --bind ../hosts etc/hosts
    mount -t proc proc proc
    ${options.readonlyRootfs ? 'mount -o remount,bind,ro .' : ''}
    pivot_root . .old
    cd /
    exec /bin/busybox sh -c '/bin/busybox umount -l /.old; echo ready; exec /bin/busybox sleep 1000'`;
  const child = Bun.spawn(['unshare', '-m', '--propagation', 'private', 'bash', '-c', script], {
    cwd: rootfs,
    stdout: 'pipe',
    stderr: 'inherit',
  });
  const id = `gantry-archive-${child.pid}-${dir.slice(-6)}`;
  sys.cgroups.create(`/${id}`);
  const directory = sys.cgroups.directory('pids', `/${id}`) ?? '';
  writeFileSync(join(directory, 'cgroup.procs'), String(child.pid));
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await child.exited;
  };
  const dispose = async (): Promise<void> => {
    await kill();
    sys.cgroups.remove(`/${id}`);
    rmSync(dir, { recursive: true, force: true });
  };
  const { value } = await child.stdout.getReader().read();
  if (Buffer.from(value ?? []).toString() !== 'ready\n') {
    await dispose();
    throw new Error('the test container did not start');
  }
  const source: ArchiveSource = {
    ref: 'web',
    open: () => {
      const tree = openLiveTree(sys, { pid: child.pid, containerId: id });
      if (!tree) throw new Error('not running');
      return tree;
    },
  };
  return { pid: child.pid, id, dir, rootfs, volume, source, kill, [Symbol.asyncDispose]: dispose };
}
