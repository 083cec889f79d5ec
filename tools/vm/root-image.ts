import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CACHE, cached, host, say } from './host.ts';
import type { VmOptions } from './options.ts';

/** What the engine runs on and its tests use, as tools/setup.sh installs it on a host. */
const ENGINE = [
  ...['crun', 'runc', 'conmon', 'iproute2', 'libnftables1', 'libseccomp2', 'tini', 'busybox-static'],
  ...['docker.io', 'nftables', 'iptables', 'procps', 'ca-certificates', 'kmod', 'e2fsprogs', 'git'],
];
const SECURITY: Readonly<Record<VmOptions['lsm'], readonly string[]>> = {
  apparmor: ['apparmor'],
  selinux: ['selinux-policy-default', 'selinux-utils', 'policycoreutils'],
  none: [],
};
const CONTAINER_TYPES = join(import.meta.dir, 'guest/container-types.cil');
/** Run with the tree as `$1` when its packages are there. */
const HOOKS: Readonly<Record<VmOptions['lsm'], readonly string[]>> = {
  apparmor: [],
  selinux: [
    `cp '${CONTAINER_TYPES}' "$1/root/gantry.cil" && chroot "$1" semodule -n -s default -i /root/gantry.cil`,
  ],
  none: [],
};
/** Sparse: what is written counts. The tests' containers, layers and logs have the rest. */
const SIZE = '3G';
const APT_SOURCES = ['/etc/apt/sources.list', '/etc/apt/sources.list.d/debian.sources'];

/** A file with an ext4 of a small Debian: made once for each list of packages, from the host's own package sources. */
export async function makeRootImage(lsm: VmOptions['lsm']): Promise<string> {
  mkdirSync(CACHE, { recursive: true });
  const packages = [...ENGINE, ...SECURITY[lsm]];
  const recipe = [...packages, ...HOOKS[lsm]].join(' ');
  const digest = createHash('sha256').update(recipe).digest('hex').slice(0, 12);
  return cached(join(CACHE, `root-${lsm}-${digest}.ext4`), (partial) =>
    buildRoot(packages, HOOKS[lsm], partial),
  );
}

async function buildRoot(
  packages: readonly string[],
  hooks: readonly string[],
  image: string,
): Promise<void> {
  say(`making a Debian of ${packages.length} packages and what they need (some minutes, once)`);
  // Not below the repository, whose files test runners and linters walk through.
  const scratch = mkdtempSync(join(tmpdir(), 'gantry-vm-root-'));
  const tree = join(scratch, 'tree');
  try {
    await host([
      // It mounts /proc and /sys below the tree: in a namespace of its own nothing of that outlives it.
      ...[
        'unshare',
        '--mount',
        '--propagation',
        'private',
        '--',
        'mmdebstrap',
        '--variant=minbase',
        '--mode=root',
        `--include=${packages.join(',')}`,
      ],
      // Translations, manuals and the lists of packages are half of a small system.
      ...['--dpkgopt=path-exclude=/usr/share/man/*', '--dpkgopt=path-exclude=/usr/share/locale/*'],
      ...[
        '--dpkgopt=path-exclude=/usr/share/doc/*',
        ...hooks.map((hook) => `--customize-hook=${hook}`),
        await codename(),
        tree,
      ],
      ...APT_SOURCES.filter((path) => existsSync(path)),
    ]);
    await host(['mkfs.ext4', '-q', '-O', '^has_journal', '-m', '0', '-d', tree, image, SIZE]);
  } finally {
    await host(['rm', '-rf', '--one-file-system', scratch]);
  }
}

async function codename(): Promise<string> {
  const release = await Bun.file('/etc/os-release').text();
  const name = /^VERSION_CODENAME=(\S+)$/m.exec(release)?.[1];
  if (name === undefined) throw new Error('/etc/os-release has no VERSION_CODENAME: Debian is needed');
  return name;
}
