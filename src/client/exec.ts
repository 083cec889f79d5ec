import type { ExecCreateRequest, ExecInspectResponse, ExecStartRequest } from '#api';
import type { TerminalSize } from './containers.ts';
import { type Requester, segment } from './requester.ts';
import type { HijackedStream } from './transport.ts';

/** Operations under `/exec`. */
export interface ExecClient {
  create(ref: string, body: ExecCreateRequest): Promise<{ readonly Id: string }>;
  /** Starts without streams. */
  startDetached(id: string, body: ExecStartRequest): Promise<void>;
  /** Starts and hands out its streams. */
  attach(id: string, body: ExecStartRequest, options?: { signal?: AbortSignal }): Promise<HijackedStream>;
  inspect(id: string): Promise<ExecInspectResponse>;
  resize(id: string, size: TerminalSize): Promise<void>;
}

/** The client for `/exec`. */
export function createExecClient(engine: Requester): ExecClient {
  const at = (id: string, rest: string) => `/exec/${segment(id)}/${rest}`;
  return {
    create: (ref, body) => engine.json('POST', `/containers/${segment(ref)}/exec`, { json: body }),
    startDetached: (id, body) => engine.done('POST', at(id, 'start'), { json: body }),
    attach: (id, body, options) => engine.hijack(at(id, 'start'), { json: body, signal: options?.signal }),
    inspect: (id) => engine.json('GET', at(id, 'json')),
    resize: (id, { rows, columns }) =>
      engine.done('POST', at(id, 'resize'), { query: { h: rows, w: columns } }),
  };
}
