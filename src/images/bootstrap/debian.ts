import { invalidArgument } from '#base';
import type { OnProgress } from '../types.ts';
import { runCommand } from './command.ts';

const TIMEOUT_MS = 20 * 60_000;
/** The release that `debian` images are made of. */
export const DEBIAN_SUITE = 'bookworm';

export const DEBIAN_CHANGES: readonly string[] = [
  'CMD ["bash"]',
  'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
];

/** Debian Policy 5.6.1; a leading dash would be an option to mmdebstrap. */
const PACKAGE_NAME = /^[a-z0-9][a-z0-9+.-]+$/;

/**
 * Debian's smallest useful root file system and the named packages, streamed from mmdebstrap, which fetches them
 * from the host's own package sources.
 * @throws `invalid_argument` for what is no package name, `internal` with mmdebstrap's last words.
 */
export async function* debianRootfs(
  mmdebstrap: string,
  options: {
    readonly packages?: readonly string[] | undefined;
    readonly onProgress?: OnProgress | undefined;
    readonly signal?: AbortSignal | undefined;
  },
): AsyncGenerator<Uint8Array, void, undefined> {
  const { packages = [], onProgress, signal } = options;
  const bad = packages.find((name) => !PACKAGE_NAME.test(name));
  if (bad !== undefined) throw invalidArgument(`invalid package name ${JSON.stringify(bad)}`);
  const include = packages.length > 0 ? [`--include=${packages.join(',')}`] : [];
  const args = ['--variant=minbase', '--mode=root', '--format=tar', ...include, DEBIAN_SUITE, '-'];
  // Zero makes the times of generated files the same each time.
  const env = { SOURCE_DATE_EPOCH: '0', DEBIAN_FRONTEND: 'noninteractive' };
  yield* runCommand([mmdebstrap, ...args], {
    timeoutMs: TIMEOUT_MS,
    signal,
    env,
    onLine: (line) => onProgress?.({ status: line }),
  });
}
