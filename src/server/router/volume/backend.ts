import type { VolumeService } from '#volumes';

export type VolumeBackend = Pick<VolumeService, 'get' | 'list' | 'create' | 'remove' | 'prune' | 'usage'>;
