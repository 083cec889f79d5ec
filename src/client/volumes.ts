import type { Filters, Volume, VolumeCreateRequest, VolumeListResponse, VolumesPruneResponse } from '#api';
import { encodeFilters, type Requester, segment } from './requester.ts';

/** Operations under `/volumes`. */
export interface VolumeClient {
  list(filters?: Filters): Promise<VolumeListResponse>;
  create(body: VolumeCreateRequest): Promise<Volume>;
  inspect(name: string): Promise<unknown>;
  remove(name: string, options?: { force?: boolean }): Promise<void>;
  prune(filters?: Filters): Promise<VolumesPruneResponse>;
}

/** The client for `/volumes`. */
export function createVolumeClient(engine: Requester): VolumeClient {
  return {
    list: (filters) => engine.json('GET', '/volumes', { query: { filters: encodeFilters(filters) } }),
    create: (body) => engine.json('POST', '/volumes/create', { json: body }),
    inspect: (name) => engine.exactJson('GET', `/volumes/${segment(name)}`),
    remove: (name, { force } = {}) =>
      engine.done('DELETE', `/volumes/${segment(name)}`, { query: { force: force ? 1 : undefined } }),
    prune: (filters) => engine.json('POST', '/volumes/prune', { query: { filters: encodeFilters(filters) } }),
  };
}
