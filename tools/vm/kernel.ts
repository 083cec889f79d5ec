import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, cached, host, say } from './host.ts';
import type { VmOptions } from './options.ts';

/** A kernel package, unpacked into the cache. It is never installed on the host. */
export interface Kernel {
  /** As `uname -r` says it. */
  readonly release: string;
  /** The boot image. */
  readonly image: string;
  /** `lib/modules/<release>`, with the indexes that depmod makes. */
  readonly modules: string;
}

/** Cloud kernels: the drivers of virtual machines and everything that containers use, at a fifth of the size. */
const META: Readonly<Record<VmOptions['kernel'], string>> = {
  '6.1': 'linux-image-cloud-amd64',
  '6.12': 'linux-image-6.12-cloud-amd64',
};

/** Downloads the newest kernel of a line by apt, once. */
export async function fetchKernel(line: VmOptions['kernel']): Promise<Kernel> {
  mkdirSync(CACHE, { recursive: true });
  const directory = await cached(join(CACHE, `kernel-${line}`), (partial) => unpackKernel(line, partial));
  const release = readdirSync(join(directory, 'lib/modules'))[0];
  if (release === undefined) throw new Error(`${directory} holds no modules: remove it`);
  return {
    release,
    image: join(directory, 'boot', `vmlinuz-${release}`),
    modules: join(directory, 'lib/modules', release),
  };
}

async function unpackKernel(line: VmOptions['kernel'], directory: string): Promise<void> {
  const name = await packageName(line);
  say(`fetching ${name}`);
  // apt downloads into the working directory; its own user may not write there, which it only warns about.
  const download = mkdtempSync(join(CACHE, 'download-'));
  try {
    await host(['apt-get', 'download', '-q', name], { cwd: download });
    const file = readdirSync(download).find((entry) => entry.endsWith('.deb'));
    if (file === undefined) throw new Error(`apt-get downloaded no ${name}`);
    await host(['dpkg-deb', '-x', join(download, file), directory]);
    // A package of a merged-/usr release.
    if (!readdirSync(directory).includes('lib'))
      renameSync(join(directory, 'usr/lib'), join(directory, 'lib'));
    const [release = ''] = readdirSync(join(directory, 'lib/modules'));
    await host(['busybox', 'depmod', '-b', directory, release]);
  } finally {
    rmSync(download, { recursive: true, force: true });
  }
}

/** A metapackage depends on the newest kernel of its line. */
async function packageName(line: VmOptions['kernel']): Promise<string> {
  const depends = await host(['apt-cache', 'depends', '--important', META[line]]).catch(async () => {
    await host(['apt-get', 'update', '-q']);
    return host(['apt-cache', 'depends', '--important', META[line]]);
  });
  const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1];
  if (name === undefined) throw new Error(`${META[line]} names no kernel: is this Debian 12 on amd64?`);
  return name;
}
