import { chmodSync, copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { host } from './host.ts';
import type { Kernel } from './kernel.ts';

const BUSYBOX = '/bin/busybox';
/** What the kernel needs to see its disks and its console; the rest it loads from the disk. */
const DRIVERS = ['virtio_pci', 'virtio_blk', 'virtio_console'];

/** Makes the first root: it loads the drivers of the disks, mounts them and hands over to the second. */
export async function makeInitramfs(scratch: string, kernel: Kernel): Promise<string> {
  const tree = join(scratch, 'initramfs');
  for (const directory of ['bin', 'dev', 'proc', 'sys', 'root', 'modules'])
    mkdirSync(join(tree, directory), { recursive: true });
  copyFileSync(BUSYBOX, join(tree, 'bin/busybox'));
  const dependencies = readFileSync(join(kernel.modules, 'modules.dep'), 'utf8');
  const modules = inLoadingOrder(dependencies, DRIVERS);
  for (const module of modules)
    copyFileSync(join(kernel.modules, module), join(tree, 'modules', basename(module)));
  await Bun.write(join(tree, 'init'), firstInit(modules.map((module) => basename(module))));
  chmodSync(join(tree, 'init'), 0o755);
  const archive = join(scratch, 'initramfs.cpio');
  await host(['sh', '-c', 'find . | busybox cpio -o -H newc > "$1"', 'sh', archive], { cwd: tree });
  return archive;
}

/**
 * The files of modules and of everything they depend on, dependencies first. A name that `modules.dep` (lines of
 * `file: dependency dependency…`) does not have is built into the kernel.
 */
export function inLoadingOrder(modulesDep: string, names: readonly string[]): string[] {
  const table = new Map<string, string[]>();
  for (const line of modulesDep.split('\n').filter(Boolean)) {
    const [file = '', rest = ''] = line.split(':');
    table.set(file, rest.split(' ').filter(Boolean));
  }
  const order = new Set<string>();
  const visit = (file: string): void => {
    for (const dependency of table.get(file) ?? []) if (!order.has(dependency)) visit(dependency);
    order.add(file);
  };
  for (const name of names) {
    const file = [...table.keys()].find((candidate) => moduleName(candidate) === name);
    if (file !== undefined) visit(file);
  }
  return [...order];
}

const moduleName = (file: string): string => (basename(file).split('.')[0] ?? '').replaceAll('-', '_');

const firstInit = (modules: readonly string[]): string => `#!/bin/busybox sh
export PATH=/bin
/bin/busybox --install -s /bin
mount -t devtmpfs dev /dev
for module in ${modules.join(' ')}; do insmod /modules/$module || echo "module $module was refused"; done
tries=100
until [ -b /dev/vda ] && [ -b /dev/vdb ]; do
  tries=$((tries - 1)); [ $tries -gt 0 ] || { echo 'the disks did not come'; poweroff -f; }
  sleep 0.1
done
mount -t ext4 -o noatime /dev/vda /root && mkdir -p /root/gantry && mount -t ext4 -o noatime /dev/vdb /root/gantry || poweroff -f
mount --move /dev /root/dev
exec switch_root /root /gantry/tools/vm/guest/init.sh
`;
