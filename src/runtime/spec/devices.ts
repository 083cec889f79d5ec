import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SpecDevice, SpecResources } from '#oci';

export type DeviceRule = NonNullable<SpecResources['devices']>[number];

const character = (major: number, minor: number): DeviceRule => ({
  allow: true,
  type: 'c',
  major,
  minor,
  access: 'rwm',
});

/** Nothing but null, zero, random, urandom, tty and console; the runtimes add pseudo-terminals. */
export const DEFAULT_DEVICE_RULES: readonly DeviceRule[] = [
  { allow: false, access: 'rwm' },
  character(1, 5),
  character(1, 3),
  character(1, 9),
  character(1, 8),
  character(5, 0),
  character(5, 1),
  { allow: false, type: 'c', major: 10, minor: 229, access: 'rwm' },
];

/** What `--privileged` gets. */
export const ALL_DEVICES_RULE: DeviceRule = { allow: true, access: 'rwm' };

const SKIPPED_DIRECTORIES = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev']);

/** Every device node below `directory` (default `/dev`), without terminals and the console. */
export function listHostDevices(directory = '/dev'): SpecDevice[] {
  const found: SpecDevice[] = [];
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory() && !SKIPPED_DIRECTORIES.has(entry.name)) found.push(...listHostDevices(path));
    const device = isNode(entry) && entry.name !== 'console' ? describeDevice(path) : undefined;
    if (device) found.push(device);
  }
  return found;
}

const isNode = (entry: Dirent): boolean => entry.isCharacterDevice() || entry.isBlockDevice();

/** A device node as the runtime spec wants it. Undefined when there is none (any more). */
export function describeDevice(path: string): SpecDevice | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (!stat || !(stat.isCharacterDevice() || stat.isBlockDevice())) return undefined;
  return {
    path,
    type: stat.isBlockDevice() ? 'b' : 'c',
    ...splitDevice(stat.rdev),
    fileMode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
  };
}

/** Major and minor number of a `dev_t` in the C library's encoding. Source: makedev(3). */
export function splitDevice(device: number): { major: number; minor: number } {
  const wide = BigInt(device);
  return {
    major: Number(((wide >> 8n) & 0xfffn) | ((wide >> 32n) & 0xfffff000n)),
    minor: Number((wide & 0xffn) | ((wide >> 12n) & 0xffffff00n)),
  };
}
