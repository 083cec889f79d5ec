export { createVolumeService, type VolumeServiceOptions } from './service.ts';
export type * from './types.ts';
