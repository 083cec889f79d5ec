import type { TerminalSize } from './containers.ts';
import { type Requester, segment } from './requester.ts';
import type { HijackedStream } from './transport.ts';
import type { ExecInspect } from './wire.ts';

/** Wire form of an exec's creation. */
export interface ExecCreateBody {
  readonly User: string;
  readonly Privileged: boolean;
  readonly Tty: boolean;
  readonly AttachStdin: boolean;
  readonly AttachStdout: boolean;
  readonly AttachStderr: boolean;
  readonly DetachKeys: string;
  readonly Env: readonly string[];
  readonly WorkingDir: string;
  readonly Cmd: readonly string[];
  /** Height, width. */
  readonly ConsoleSize?: readonly [number, number];
}

export interface ExecStartBody {
  readonly Detach: boolean;
  readonly Tty: boolean;
  readonly ConsoleSize?: readonly [number, number];
}

/** Operations under `/exec`. */
export interface ExecClient {
  create(ref: string, body: ExecCreateBody): Promise<{ readonly Id: string }>;
  /** Starts without streams. */
  startDetached(id: string, body: ExecStartBody): Promise<void>;
  /** Starts and hands out its streams. */
  attach(id: string, body: ExecStartBody, options?: { signal?: AbortSignal }): Promise<HijackedStream>;
  inspect(id: string): Promise<ExecInspect>;
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
