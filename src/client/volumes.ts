import { encodeFilters, type Filters, type Requester, segment } from './requester.ts';
import type { PruneResult, VolumeSummary } from './wire.ts';

/** Operations under `/volumes`. */
export interface VolumeClient {
  list(filters?: Filters): Promise<{
    readonly Volumes: readonly VolumeSummary[] | null;
    readonly Warnings?: readonly string[] | null;
  }>;
  create(body: unknown): Promise<VolumeSummary>;
  inspect(name: string): Promise<unknown>;
  remove(name: string, options?: { force?: boolean }): Promise<void>;
  prune(filters?: Filters): Promise<PruneResult>;
}

/** The client for `/volumes`. */
export function createVolumeClient(engine: Requester): VolumeClient {
  return {
    list: (filters) => engine.json('GET', '/volumes', { query: { filters: encodeFilters(filters) } }),
    create: (body) => engine.json('POST', '/volumes/create', { json: body }),
    inspect: (name) => engine.json('GET', `/volumes/${segment(name)}`),
    remove: (name, { force } = {}) =>
      engine.done('DELETE', `/volumes/${segment(name)}`, { query: { force: force ? 1 : undefined } }),
    prune: (filters) => engine.json('POST', '/volumes/prune', { query: { filters: encodeFilters(filters) } }),
  };
}
