import { internal } from '#base';

/**
 * Checks `--storage-opt`. A size needs a file system with project quotas, which no snapshotter of ours sets: it is refused
 * with docker's words rather than accepted without effect.
 * @throws `internal`, as docker. Source: moby `daemon/graphdriver/overlay2/overlay.go`.
 */
export function checkStorageOptions(options: Readonly<Record<string, string>>): void {
  for (const name of Object.keys(options)) {
    if (name.toLowerCase() !== 'size') throw internal(`unknown option ${name}`);
    throw internal("--storage-opt is supported only for overlay over xfs with 'pquota' mount option");
  }
}
