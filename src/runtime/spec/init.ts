import { accessSync, constants } from 'node:fs';

const CANDIDATES = [
  '/usr/bin/tini-static',
  '/usr/bin/docker-init',
  '/usr/bin/tini',
  '/usr/libexec/docker/docker-init',
];

/**
 * The init binary for `--init`: the first of the usual places that exists. A static one comes first, because the
 * binary runs on the libraries of the container.
 */
export function findInit(candidates: readonly string[] = CANDIDATES): string | undefined {
  return candidates.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
