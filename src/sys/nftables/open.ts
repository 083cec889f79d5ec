import type { Namespaces, Nftables } from '../types.ts';
import { openLibraryNftables } from './library.ts';
import { openSpawnedNftables } from './spawned.ts';

/** Opens nftables in the calling thread's network namespace: by the library, else by the program. */
export function openNftables(namespaces: Namespaces): Nftables {
  return openLibraryNftables() ?? openSpawnedNftables(namespaces);
}
