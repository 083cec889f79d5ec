export { VOLUME_WORKER_ENTRY } from './mount-in-worker.ts';
export { createVolumeService, type VolumeServiceOptions } from './service.ts';
export type * from './types.ts';
