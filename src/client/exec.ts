import type { ExecCreateRequest, ExecInspectResponse, ExecStartRequest } from '#api';
import type { TerminalSize } from './containers.ts';
import { named, type Requester, segment } from './requester.ts';
import type { HijackedStream } from './transport.ts';

/** Operations under `/exec`. */
export interface ExecClient {
  /** `killOnDisconnect` is our engine's own: others ignore it. */
  create(
    ref: string,
    body: ExecCreateRequest,
    options?: { readonly killOnDisconnect?: boolean },
  ): Promise<{ readonly Id: string }>;
  /** Starts without streams. */
  startDetached(id: string, body: ExecStartRequest): Promise<void>;
  /** Starts and hands out its streams. */
  attach(id: string, body: ExecStartRequest, options?: { signal?: AbortSignal }): Promise<HijackedStream>;
  inspect(id: string): Promise<ExecInspectResponse>;
  /** Our engine's own: signal to the process, and with `all` to everything it has started. `not_found` on others. */
  kill(id: string, options: { readonly signal: string; readonly all: boolean }): Promise<void>;
  resize(id: string, size: TerminalSize): Promise<void>;
}

/** The client for `/exec`. */
export function createExecClient(engine: Requester): ExecClient {
  const at = (id: string, rest: string) => `/exec/${segment(id)}/${rest}`;
  return {
    create: (ref, body, { killOnDisconnect } = {}) =>
      engine.json('POST', `/containers/${segment(named(ref))}/exec`, {
        json: body,
        query: { killOnDisconnect },
      }),
    startDetached: (id, body) => engine.done('POST', at(id, 'start'), { json: body }),
    attach: (id, body, options) => engine.hijack(at(id, 'start'), { json: body, signal: options?.signal }),
    inspect: (id) => engine.json('GET', at(id, 'json')),
    kill: (id, query) => engine.done('POST', `/gantry${at(id, 'kill')}`, { query }),
    resize: (id, { rows, columns }) =>
      engine.done('POST', at(id, 'resize'), { query: { h: rows, w: columns } }),
  };
}
