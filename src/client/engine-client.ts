import { type ContainerClient, createContainerClient } from './containers.ts';
import type { Endpoint } from './endpoint.ts';
import { createExecClient, type ExecClient } from './exec.ts';
import { createImageClient, type ImageClient } from './images.ts';
import { createNetworkClient, type NetworkClient } from './networks.ts';
import { Requester } from './requester.ts';
import { createSystemClient, type SystemClient } from './system.ts';
import { checkVersion } from './version.ts';
import { createVolumeClient, type VolumeClient } from './volumes.ts';

export interface EngineClientOptions {
  /** Pins the API version instead of asking the daemon. */
  readonly apiVersion?: string | undefined;
  readonly userAgent?: string;
  /** Sent with every request, besides those that the protocol needs. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A typed client of one engine. No connection is made before the first call. */
export interface EngineClient {
  /** Where the engine listens, as it was given. */
  readonly url: string;
  /** The API version in use; asks the daemon when it is not pinned. */
  apiVersion(): Promise<string>;
  readonly containers: ContainerClient;
  readonly exec: ExecClient;
  readonly images: ImageClient;
  readonly networks: NetworkClient;
  readonly system: SystemClient;
  readonly volumes: VolumeClient;
  /** Closes kept connections; streams in use go on. */
  close(): void;
}

/**
 * Makes a client for `endpoint`.
 * @throws `invalid_argument` for a malformed pinned version.
 */
export function createEngineClient(endpoint: Endpoint, options: EngineClientOptions = {}): EngineClient {
  const requester = new Requester(endpoint, {
    apiVersion: options.apiVersion === undefined ? undefined : checkVersion(options.apiVersion),
    userAgent: options.userAgent ?? 'Gantry-Client',
    ...(options.headers && { headers: options.headers }),
  });
  return {
    url: endpoint.url,
    apiVersion: () => requester.apiVersion(),
    containers: createContainerClient(requester),
    exec: createExecClient(requester),
    images: createImageClient(requester),
    networks: createNetworkClient(requester),
    system: createSystemClient(requester),
    volumes: createVolumeClient(requester),
    close: () => requester.close(),
  };
}
