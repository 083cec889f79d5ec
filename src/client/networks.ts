import type {
  Filters,
  NetworkConnectRequest,
  NetworkCreateRequest,
  NetworkCreateResponse,
  NetworkDisconnectRequest,
  NetworkSummary,
  NetworksPruneResponse,
} from '#api';
import { encodeFilters, type Requester, segment } from './requester.ts';

/** Operations under `/networks`. */
export interface NetworkClient {
  list(filters?: Filters): Promise<NetworkSummary[]>;
  inspect(ref: string, options?: { verbose?: boolean; scope?: string }): Promise<unknown>;
  create(body: NetworkCreateRequest): Promise<NetworkCreateResponse>;
  remove(ref: string): Promise<void>;
  connect(ref: string, body: NetworkConnectRequest): Promise<void>;
  disconnect(ref: string, body: NetworkDisconnectRequest): Promise<void>;
  prune(filters?: Filters): Promise<NetworksPruneResponse>;
}

/** The client for `/networks`. */
export function createNetworkClient(engine: Requester): NetworkClient {
  const at = (ref: string) => `/networks/${segment(ref)}`;
  return {
    list: (filters) => engine.json('GET', '/networks', { query: { filters: encodeFilters(filters) } }),
    inspect: (ref, { verbose, scope } = {}) =>
      engine.exactJson('GET', at(ref), { query: { verbose: verbose ? 1 : undefined, scope } }),
    create: (body) => engine.json('POST', '/networks/create', { json: body }),
    remove: (ref) => engine.done('DELETE', at(ref)),
    connect: (ref, body) => engine.done('POST', `${at(ref)}/connect`, { json: body }),
    disconnect: (ref, body) => engine.done('POST', `${at(ref)}/disconnect`, { json: body }),
    prune: (filters) =>
      engine.json('POST', '/networks/prune', { query: { filters: encodeFilters(filters) } }),
  };
}
