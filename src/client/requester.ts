import { encodeFilters as encode, type Filters } from '#api';
import { invalidArgument } from '#base';
import { unlessAborted } from './abort.ts';
import type { Endpoint } from './endpoint.ts';
import { engineError } from './errors.ts';
import {
  type EngineResponse,
  type HijackedStream,
  type Query,
  type RequestSpec,
  Transport,
} from './transport.ts';
import { negotiate } from './version.ts';

/** Answer of `/_ping`, from its headers. */
export interface PingResult {
  readonly apiVersion: string | undefined;
  readonly osType: string;
  readonly experimental: boolean;
  readonly builderVersion: string;
}

export interface CallOptions {
  readonly query?: Query;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly stream?: AsyncIterable<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
}

type Method = RequestSpec['method'];

/** Adds what every engine call shares: the negotiated version prefix, query encoding, errors from bodies. */
export class Requester {
  readonly #transport: Transport;
  readonly #pinnedVersion: string | undefined;
  #ping: Promise<PingResult> | undefined;

  constructor(
    endpoint: Endpoint,
    options: {
      readonly apiVersion?: string | undefined;
      readonly userAgent: string;
      readonly headers?: Readonly<Record<string, string>>;
    },
  ) {
    this.#transport = new Transport(endpoint, options.userAgent, options.headers);
    this.#pinnedVersion = options.apiVersion;
  }

  get url(): string {
    return this.#transport.url;
  }

  /** The version requests are made in; asks the daemon once, unless pinned. */
  async apiVersion(): Promise<string> {
    return this.#pinnedVersion ?? negotiate((await this.ping()).apiVersion);
  }

  /** One ping for the lifetime of the client. A failed one is forgotten, so that the next call tries again. */
  ping(): Promise<PingResult> {
    this.#ping ??= this.#pingOnce().catch((error: unknown) => {
      this.#ping = undefined;
      throw error;
    });
    return this.#ping;
  }

  async #pingOnce(): Promise<PingResult> {
    const response = await this.#transport.send({ method: 'GET', target: '/_ping' });
    await response.body.bytes();
    const header = (name: string) => response.headers.get(name);
    return {
      apiVersion: header('api-version'),
      osType: header('ostype') ?? '',
      experimental: header('docker-experimental') === 'true',
      builderVersion: header('builder-version') ?? '',
    };
  }

  /** @throws the daemon's error for any status of 300 and above, except 304. */
  async call(method: Method, path: string, options: CallOptions = {}): Promise<EngineResponse> {
    const spec = await this.#spec(method, path, options);
    const response = await this.#transport.send(spec);
    if (response.status < 300 || response.status === 304) return response;
    throw engineError(response.status, await response.body.text(), `API route ${spec.target}`);
  }

  async json<T>(method: Method, path: string, options?: CallOptions): Promise<T> {
    return await (await this.call(method, path, options)).body.json<T>();
  }

  /** As `json`, for answers that are shown as they came. */
  async exactJson<T>(method: Method, path: string, options?: CallOptions): Promise<T> {
    return await (await this.call(method, path, options)).body.json<T>({ exact: true });
  }

  /** For calls whose answer has no content. */
  async done(method: Method, path: string, options?: CallOptions): Promise<void> {
    await (await this.call(method, path, options)).body.bytes();
  }

  async hijack(path: string, options: CallOptions = {}): Promise<HijackedStream> {
    return await this.#transport.hijack(await this.#spec('POST', path, options));
  }

  close(): void {
    this.#transport.close();
  }

  async #spec(method: Method, path: string, options: CallOptions): Promise<RequestSpec> {
    const { headers, json, stream, signal } = options;
    // The ping is everybody's: a caller who leaves does not end it for the others.
    const version = await unlessAborted(this.apiVersion(), signal);
    const target = `/v${version}${path}${encodeQuery(options.query)}`;
    return {
      method,
      target,
      ...(headers && { headers }),
      ...(json !== undefined && { json }),
      ...(stream && { stream }),
      ...(signal && { signal }),
    };
  }
}

/** Undefined values are left out; booleans become 1 and 0; lists repeat the key. */
export function encodeQuery(query: Query | undefined): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    const values = typeof value === 'object' ? value : [typeof value === 'boolean' ? +value : value];
    for (const item of values) params.append(key, String(item));
  }
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

/** Filters in the wire form of all list and prune operations; undefined when there are none. */
export const encodeFilters = (filters: Filters | undefined): string | undefined => encode(filters ?? {});

/** One path segment; slashes of image names stay. */
export const segment = (text: string): string =>
  encodeURIComponent(text).replaceAll('%2F', '/').replaceAll('%3A', ':').replaceAll('%40', '@');

/** @throws docker's text for a name that would make another path. */
export function named(ref: string): string {
  if (ref.trim() === '') throw invalidArgument('invalid container name or ID: value is empty');
  return ref;
}
