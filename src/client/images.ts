import type {
  Filters,
  ImageDeleteResponseItem,
  ImageHistoryResponseItem,
  ImageSummary,
  ImagesPruneResponse,
  JSONMessage,
} from '#api';
import type { ResponseBody } from './body.ts';
import { encodeFilters, type Requester, segment } from './requester.ts';

type Progress = AsyncIterableIterator<JSONMessage>;

export interface ImportRequest {
  /** Bytes of a root file system tar; undefined when `fromUrl` is given. */
  readonly source: AsyncIterable<Uint8Array> | undefined;
  readonly fromUrl?: string;
  readonly repo: string;
  readonly tag: string;
  readonly message: string;
  readonly changes: readonly string[];
  readonly platform: string;
}

/** Operations under `/images`. */
export interface ImageClient {
  list(options?: { all?: boolean; filters?: Filters; sharedSize?: boolean }): Promise<ImageSummary[]>;
  inspect(ref: string, options?: { platform?: string }): Promise<unknown>;
  history(ref: string): Promise<ImageHistoryResponseItem[]>;
  tag(ref: string, repo: string, tag: string): Promise<void>;
  remove(ref: string, options?: { force?: boolean; noPrune?: boolean }): Promise<ImageDeleteResponseItem[]>;
  prune(filters?: Filters): Promise<ImagesPruneResponse>;
  pull(
    repo: string,
    options: { tag: string; platform?: string; auth?: string; signal?: AbortSignal },
  ): Promise<Progress>;
  push(
    repo: string,
    options: { tag: string; platform?: string; auth?: string; signal?: AbortSignal },
  ): Promise<Progress>;
  import(request: ImportRequest, options?: { signal?: AbortSignal }): Promise<Progress>;
  load(
    archive: AsyncIterable<Uint8Array>,
    options: { quiet: boolean; platforms?: readonly string[]; signal?: AbortSignal },
  ): Promise<{ readonly isJson: boolean; readonly body: ResponseBody }>;
  save(
    refs: readonly string[],
    options?: { platforms?: readonly string[]; signal?: AbortSignal },
  ): Promise<ResponseBody>;
  /** Makes a base image from the host's packages. An addition of this engine: `POST /gantry/images/bootstrap`. */
  bootstrap(
    kind: string,
    options: { reference?: string; packages?: readonly string[]; signal?: AbortSignal },
  ): Promise<Progress>;
}

const present = (text: string | undefined): string | undefined => (text === '' ? undefined : text);

/** An empty registry login, which stock daemons demand of every pull and push. */
const NO_AUTH = Buffer.from('{}').toString('base64url');

/** The client for `/images`. */
export function createImageClient(engine: Requester): ImageClient {
  const at = (ref: string, rest: string) => `/images/${segment(ref)}/${rest}`;
  return {
    list: ({ all, filters, sharedSize } = {}) =>
      engine.json('GET', '/images/json', {
        query: {
          all: all ? 1 : undefined,
          filters: encodeFilters(filters),
          'shared-size': sharedSize ? 1 : undefined,
        },
      }),
    inspect: (ref, { platform } = {}) =>
      engine.exactJson('GET', at(ref, 'json'), { query: { platform: present(platform) } }),
    history: (ref) => engine.json('GET', at(ref, 'history')),
    tag: (ref, repo, tag) => engine.done('POST', at(ref, 'tag'), { query: { repo, tag: present(tag) } }),
    remove: (ref, { force, noPrune } = {}) =>
      engine.json('DELETE', `/images/${segment(ref)}`, {
        query: { force: force ? 1 : undefined, noprune: noPrune ? 1 : undefined },
      }),
    prune: (filters) => engine.json('POST', '/images/prune', { query: { filters: encodeFilters(filters) } }),
    ...createTransferPart(engine),
  };
}

type TransferPart = Pick<ImageClient, 'pull' | 'push' | 'import' | 'load' | 'save' | 'bootstrap'>;

function createTransferPart(engine: Requester): TransferPart {
  return {
    async pull(repo, { tag, platform, auth, signal }) {
      const query = { fromImage: repo, tag: present(tag), platform: present(platform) };
      const headers = { 'X-Registry-Auth': auth ?? NO_AUTH };
      return (await engine.call('POST', '/images/create', { query, headers, signal })).body.jsonValues();
    },
    async push(repo, { tag, platform, auth, signal }) {
      const query = { tag: present(tag), platform: present(platform) };
      const headers = { 'X-Registry-Auth': auth ?? NO_AUTH };
      const path = `/images/${segment(repo)}/push`;
      return (await engine.call('POST', path, { query, headers, signal })).body.jsonValues();
    },
    async import({ source, fromUrl, repo, tag, message, changes, platform }, options) {
      const query = {
        fromSrc: fromUrl ?? '-',
        repo: present(repo),
        tag: present(tag),
        message: present(message),
        changes,
        platform: present(platform?.toLowerCase()),
      };
      const call = { query, ...(source && { stream: source }), signal: options?.signal };
      return (await engine.call('POST', '/images/create', call)).body.jsonValues();
    },
    async load(archive, { quiet, platforms, signal }) {
      const response = await engine.call('POST', '/images/load', {
        query: { quiet: quiet ? 1 : 0, platform: platforms },
        headers: { 'Content-Type': 'application/x-tar' },
        stream: archive,
        signal,
      });
      return { isJson: response.headers.get('content-type') === 'application/json', body: response.body };
    },
    save: async (refs, options) =>
      (
        await engine.call('GET', '/images/get', {
          query: { names: refs, platform: options?.platforms },
          signal: options?.signal,
        })
      ).body,
    async bootstrap(kind, { reference, packages, signal }) {
      const query = { kind, reference, packages };
      return (await engine.call('POST', '/gantry/images/bootstrap', { query, signal })).body.jsonValues();
    },
  };
}
