import { chownSync, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from '#base';
import type { IdMappings } from '#oci';
import {
  type ApiListener,
  type ApiServer,
  type Backends,
  createServer,
  type ListenOptions,
  listen,
  parseListenEndpoint,
  type TlsIdentity,
} from '#server';
import type { Sys } from '#sys';
import { VERSION } from '../version.ts';
import { imageBackend, networkBackend } from './backends.ts';
import { readComponents } from './components.ts';
import type { Settings } from './config/settings.ts';
import { loadEngineId } from './engine-id.ts';
import { engineInfo, engineVersion } from './engine-info.ts';
import { readHostFacts } from './host-facts.ts';
import type { Services } from './wire.ts';

/** The running API. */
export interface RunningServer {
  /** The addresses it answers at, with real ports. */
  readonly addresses: readonly string[];
  /** Stops listening, lets short requests end, closes the rest. */
  close(): Promise<void>;
}

export interface ServeOptions {
  readonly services: Services;
  readonly sys: Sys;
  readonly logger: Logger;
  readonly settings: () => Settings;
  readonly idMappings: IdMappings | undefined;
  /** Undefined: TCP sockets speak plain HTTP. */
  readonly tls: TlsIdentity | undefined;
}

const GRACE_MS = 1000;

/**
 * Puts the services behind the API and listens at every configured endpoint.
 * @throws `invalid_argument` for addresses that cannot be used.
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { logger, settings, tls } = options;
  const backends = await createBackends(options);
  const server = createServer({
    ...{ backends, logger, version: VERSION },
    experimental: settings().experimental,
  });
  const listeners: ApiListener[] = [];
  const closeAll = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await server.close({ graceMs: GRACE_MS });
  };
  try {
    await listenAtAll(server, settings(), { tls, logger }, listeners);
  } catch (error) {
    await closeAll();
    throw error;
  }
  return { addresses: listeners.map(({ address }) => address), close: closeAll };
}

/** Listeners are added as they come, so that a failure at one closes those before it. */
async function listenAtAll(
  server: ApiServer,
  { hosts, execRoot, allowInsecureTcp, socketGroup, socketGroupRequired }: Settings,
  { tls, logger }: Pick<ListenOptions, 'tls'> & { readonly logger: Logger },
  listeners: ApiListener[],
): Promise<void> {
  const options = { tls, logger, allowInsecureTcp, ...(socketGroupRequired && { group: socketGroup }) };
  for (const host of hosts) {
    const endpoint = parseListenEndpoint(host, { tls: tls !== undefined });
    listeners.push(...(await listen(server, endpoint, options)));
    if (endpoint.kind === 'unix') letGroupThrough(execRoot, endpoint.path);
  }
}

/** The exec root is closed to others: the group of a socket in it has to get through. Other directories are not ours. */
function letGroupThrough(execRoot: string, socket: string): void {
  if (realpathSync(dirname(socket)) === execRoot) chownSync(execRoot, -1, statSync(socket).gid);
}

async function createBackends({ services, sys, settings, idMappings }: ServeOptions): Promise<Backends> {
  const { containers, events, images, metadata, network, runtime, snapshotter, volumes } = services;
  const facts = readHostFacts();
  const engineId = loadEngineId(metadata);
  const version = engineVersion(facts, await readComponents(runtime), settings());
  const sources = {
    engineId,
    facts,
    cgroups: sys.cgroups,
    containers,
    images,
    snapshotter,
    runtime,
    events,
    settings,
    hasUserNamespaces: idMappings !== undefined,
  };
  return {
    system: { events, version: () => version, info: () => engineInfo(sources) },
    containers,
    images: imageBackend(images, containers),
    networks: networkBackend(network, containers),
    volumes,
  };
}
