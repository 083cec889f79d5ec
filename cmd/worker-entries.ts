import { CONTAINER_WORKER_ENTRY } from '#containers';
import { NETWORK_WORKER_ENTRY } from '#network';
import { RUNTIME_WORKER_ENTRY } from '#runtime';
import { LAYER_WORKER_ENTRY } from '#store';
import { VOLUME_WORKER_ENTRY } from '#volumes';

/** Every Worker's file from the repository root: each is an entry point of the compiled program. */
export const workerEntries = (): string[] => [
  CONTAINER_WORKER_ENTRY,
  NETWORK_WORKER_ENTRY,
  RUNTIME_WORKER_ENTRY,
  LAYER_WORKER_ENTRY,
  VOLUME_WORKER_ENTRY,
];
