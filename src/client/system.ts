import type { EventMessage, Filters, SystemDataUsage, SystemInfo, SystemVersion } from '#api';
import type { PingResult } from './requester.ts';
import { encodeFilters, type Requester } from './requester.ts';
/** `/version`, `/info`, `/events`, `/system/df`, `/_ping`. */
export interface SystemClient {
  ping(): Promise<PingResult>;
  version(): Promise<SystemVersion>;
  info(): Promise<SystemInfo>;
  diskUsage(options?: { verbose?: boolean }): Promise<SystemDataUsage>;
  /** `all`: also what later builds may use. */
  pruneBuildCache(options?: { all?: boolean; filters?: Filters }): Promise<{
    readonly CachesDeleted?: readonly string[] | null;
    readonly SpaceReclaimed: number;
  }>;
  /** `since` and `until`: seconds since the epoch, with a fraction. */
  events(options: {
    since?: string | undefined;
    until?: string | undefined;
    filters?: Filters;
    signal?: AbortSignal;
  }): Promise<AsyncIterableIterator<EventMessage>>;
}

/** The client for the engine itself. */
export function createSystemClient(engine: Requester): SystemClient {
  return {
    ping: () => engine.ping(),
    version: () => engine.json('GET', '/version'),
    info: () => engine.json('GET', '/info'),
    diskUsage: ({ verbose } = {}) =>
      engine.json('GET', '/system/df', { query: { verbose: verbose ? 1 : undefined } }),
    pruneBuildCache: ({ all, filters } = {}) =>
      engine.json('POST', '/build/prune', {
        query: { all: all ? 1 : undefined, filters: encodeFilters(filters) },
      }),
    async events({ since, until, filters, signal }) {
      const query = { since, until, filters: encodeFilters(filters) };
      return (await engine.call('GET', '/events', { query, signal })).body.jsonValues({ exact: true });
    },
  };
}
