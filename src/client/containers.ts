import type {
  ContainerCreateRequest,
  ContainerCreateResponse,
  ContainerInspectResponse,
  ContainerStatsResponse,
  ContainerSummary,
  ContainersPruneResponse,
  ContainerTopResponse,
  ContainerUpdateRequest,
  ContainerUpdateResponse,
  ContainerWaitResponse,
  FilesystemChange,
  Filters,
  WaitConditionName,
} from '#api';
import { type ArchivePart, createArchivePart } from './archive.ts';
import type { ResponseBody } from './body.ts';
import { encodeFilters, named, type Requester, segment } from './requester.ts';
import type { HijackedStream } from './transport.ts';

export interface ListContainersOptions {
  readonly all?: boolean;
  readonly limit?: number;
  readonly size?: boolean;
  readonly filters?: Filters;
}

export interface AttachRequest {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly stream: boolean;
  readonly logs?: boolean;
  /** Empty is the daemon's default. */
  readonly detachKeys?: string;
}

export interface LogsRequest {
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly details: boolean;
  readonly tail: string;
  /** Seconds since the epoch, with a fraction; empty is unset. */
  readonly since: string;
  readonly until: string;
}

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export interface SignalOptions {
  readonly signal?: string | undefined;
  /** Seconds; -1 waits for ever; undefined leaves it to the container. */
  readonly timeoutS?: number | undefined;
}

export type WaitCondition = WaitConditionName;

/** Operations under `/containers`. Every call throws the daemon's error; `ref` is a name or an ID. */
export interface ContainerClient extends ArchivePart {
  list(options?: ListContainersOptions): Promise<ContainerSummary[]>;
  /** `body` is the wire form of the create request. */
  create(
    body: ContainerCreateRequest,
    options?: { name?: string; platform?: string },
  ): Promise<ContainerCreateResponse>;
  inspect(ref: string, options?: { size?: boolean }): Promise<ContainerInspectResponse>;
  start(ref: string, options?: { checkpoint?: string; checkpointDir?: string }): Promise<void>;
  stop(ref: string, options?: SignalOptions): Promise<void>;
  restart(ref: string, options?: SignalOptions): Promise<void>;
  kill(ref: string, signal?: string): Promise<void>;
  pause(ref: string): Promise<void>;
  unpause(ref: string): Promise<void>;
  rename(ref: string, name: string): Promise<void>;
  update(ref: string, body: ContainerUpdateRequest): Promise<ContainerUpdateResponse>;
  remove(ref: string, options?: { volumes?: boolean; force?: boolean; link?: boolean }): Promise<void>;
  prune(filters?: Filters): Promise<ContainersPruneResponse>;
  /** Resolves once the daemon watches; `exit` resolves when the condition is met. */
  wait(
    ref: string,
    condition?: WaitCondition,
    options?: { signal?: AbortSignal },
  ): Promise<{ readonly exit: Promise<ContainerWaitResponse> }>;
  attach(ref: string, request: AttachRequest, options?: { signal?: AbortSignal }): Promise<HijackedStream>;
  logs(ref: string, request: LogsRequest, options?: { signal?: AbortSignal }): Promise<ResponseBody>;
  resize(ref: string, size: TerminalSize): Promise<void>;
  top(ref: string, psArgs?: string): Promise<ContainerTopResponse>;
  changes(ref: string): Promise<FilesystemChange[]>;
  export(ref: string, options?: { signal?: AbortSignal }): Promise<ResponseBody>;
  stats(
    ref: string,
    options: { stream: boolean; signal?: AbortSignal },
  ): Promise<AsyncIterableIterator<ContainerStatsResponse>>;
}

/** Since API 1.44 a MAC address belongs to the endpoint; older daemons look for it in the container's configuration. */
function forVersion(body: ContainerCreateRequest, version: string): ContainerCreateRequest {
  if (Number(version.split('.')[1]) >= 44) return body;
  const endpoints = Object.values(body.NetworkingConfig?.EndpointsConfig ?? {});
  const mac = endpoints.find((endpoint) => endpoint?.MacAddress)?.MacAddress;
  return mac ? { ...body, MacAddress: mac } : body;
}

const present = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

/** The client for `/containers`. */
export function createContainerClient(engine: Requester): ContainerClient {
  const at = (ref: string, rest: string) => `/containers/${segment(named(ref))}/${rest}`;
  return {
    list: ({ all, limit, size, filters } = {}) =>
      engine.json('GET', '/containers/json', {
        query: {
          all: all ? 1 : undefined,
          limit: limit !== undefined && limit > 0 ? limit : undefined,
          size: size ? 1 : undefined,
          filters: encodeFilters(filters),
        },
      }),
    create: async (body, { name, platform } = {}) =>
      await engine.json('POST', '/containers/create', {
        query: { name: present(name), platform: present(platform) },
        json: forVersion(body, await engine.apiVersion()),
      }),
    inspect: (ref, { size } = {}) =>
      engine.exactJson('GET', at(ref, 'json'), { query: { size: size ? 1 : undefined } }),
    start: (ref, { checkpoint, checkpointDir } = {}) =>
      engine.done('POST', at(ref, 'start'), {
        query: { checkpoint: present(checkpoint), 'checkpoint-dir': present(checkpointDir) },
      }),
    stop: (ref, options) => engine.done('POST', at(ref, 'stop'), { query: signalQuery(options) }),
    restart: (ref, options) => engine.done('POST', at(ref, 'restart'), { query: signalQuery(options) }),
    kill: (ref, signal) => engine.done('POST', at(ref, 'kill'), { query: { signal: present(signal) } }),
    pause: (ref) => engine.done('POST', at(ref, 'pause')),
    unpause: (ref) => engine.done('POST', at(ref, 'unpause')),
    rename: (ref, name) => engine.done('POST', at(ref, 'rename'), { query: { name } }),
    update: (ref, body) => engine.json('POST', at(ref, 'update'), { json: body }),
    remove: (ref, { volumes, force, link } = {}) =>
      engine.done('DELETE', `/containers/${segment(ref)}`, {
        query: { v: volumes ? 1 : undefined, force: force ? 1 : undefined, link: link ? 1 : undefined },
      }),
    prune: (filters) =>
      engine.json('POST', '/containers/prune', { query: { filters: encodeFilters(filters) } }),
    async wait(ref, condition, options) {
      const query = { condition };
      const response = await engine.call('POST', at(ref, 'wait'), { query, signal: options?.signal });
      const exit = response.body.json<ContainerWaitResponse>();
      // The caller may end before it looks; an unobserved failure must not end the process.
      exit.catch(() => {});
      return { exit };
    },
    ...createStreamingPart(engine, at),
    ...createArchivePart(engine),
  };
}

type StreamingPart = Pick<
  ContainerClient,
  'attach' | 'logs' | 'resize' | 'top' | 'changes' | 'export' | 'stats'
>;

function createStreamingPart(engine: Requester, at: (ref: string, rest: string) => string): StreamingPart {
  const flag = (value: boolean | undefined) => (value ? 1 : undefined);
  return {
    attach: (ref, request, options) =>
      engine.hijack(at(ref, 'attach'), {
        query: {
          stream: flag(request.stream),
          stdin: flag(request.stdin),
          stdout: flag(request.stdout),
          stderr: flag(request.stderr),
          logs: flag(request.logs),
          detachKeys: present(request.detachKeys),
        },
        headers: { 'Content-Type': 'text/plain' },
        signal: options?.signal,
      }),
    async logs(ref, { follow, timestamps, details, tail, since, until }, options) {
      const query = {
        stdout: 1,
        stderr: 1,
        follow: flag(follow),
        timestamps: flag(timestamps),
        details: flag(details),
        tail,
        since: present(since),
        until: present(until),
      };
      return (await engine.call('GET', at(ref, 'logs'), { query, signal: options?.signal })).body;
    },
    resize: (ref, { rows, columns }) =>
      engine.done('POST', at(ref, 'resize'), { query: { h: rows, w: columns } }),
    top: (ref, psArgs) => engine.json('GET', at(ref, 'top'), { query: { ps_args: present(psArgs) } }),
    changes: async (ref) => (await engine.json<FilesystemChange[] | null>('GET', at(ref, 'changes'))) ?? [],
    export: async (ref, options) =>
      (await engine.call('GET', at(ref, 'export'), { signal: options?.signal })).body,
    async stats(ref, { stream, signal }) {
      const query = { stream: stream ? 1 : 0 };
      return (await engine.call('GET', at(ref, 'stats'), { query, signal })).body.jsonValues();
    },
  };
}

const signalQuery = ({ signal, timeoutS }: SignalOptions = {}) => ({ signal: present(signal), t: timeoutS });
