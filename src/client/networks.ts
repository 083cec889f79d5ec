import { encodeFilters, type Filters, type Requester, segment } from './requester.ts';
import type { NetworkSummary, PruneResult } from './wire.ts';

/** Operations under `/networks`. */
export interface NetworkClient {
  list(filters?: Filters): Promise<NetworkSummary[]>;
  inspect(ref: string, options?: { verbose?: boolean; scope?: string }): Promise<unknown>;
  create(body: unknown): Promise<{ readonly Id: string; readonly Warning?: string }>;
  remove(ref: string): Promise<void>;
  connect(ref: string, body: unknown): Promise<void>;
  disconnect(ref: string, body: unknown): Promise<void>;
  prune(filters?: Filters): Promise<PruneResult>;
}

/** The client for `/networks`. */
export function createNetworkClient(engine: Requester): NetworkClient {
  const at = (ref: string) => `/networks/${segment(ref)}`;
  return {
    list: (filters) => engine.json('GET', '/networks', { query: { filters: encodeFilters(filters) } }),
    inspect: (ref, { verbose, scope } = {}) =>
      engine.json('GET', at(ref), { query: { verbose: verbose ? 1 : undefined, scope } }),
    create: (body) => engine.json('POST', '/networks/create', { json: body }),
    remove: (ref) => engine.done('DELETE', at(ref)),
    connect: (ref, body) => engine.done('POST', `${at(ref)}/connect`, { json: body }),
    disconnect: (ref, body) => engine.done('POST', `${at(ref)}/disconnect`, { json: body }),
    prune: (filters) =>
      engine.json('POST', '/networks/prune', { query: { filters: encodeFilters(filters) } }),
  };
}
