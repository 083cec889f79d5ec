import type { Logger } from '#base';
import type { IdMappings } from '#oci';
import { type ApiListener, type Backends, createServer, listen, parseListenEndpoint } from '#server';
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
}

const GRACE_MS = 1000;

/** Puts the services behind the API and listens at every configured endpoint. */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const { logger, settings } = options;
  const backends = await createBackends(options);
  const server = createServer({ backends, logger, version: VERSION });
  const { hosts, allowInsecureTcp, socketGroup, socketGroupRequired } = settings();
  const listeners: ApiListener[] = [];
  const closeAll = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()));
    await server.close({ graceMs: GRACE_MS });
  };
  try {
    for (const host of hosts) {
      const listenOptions = { allowInsecureTcp, ...(socketGroupRequired && { group: socketGroup }) };
      listeners.push(...(await listen(server, parseListenEndpoint(host), listenOptions)));
    }
  } catch (error) {
    await closeAll();
    throw error;
  }
  return { addresses: listeners.map(({ address }) => address), close: closeAll };
}

async function createBackends({ services, sys, settings, idMappings }: ServeOptions): Promise<Backends> {
  const { containers, events, images, metadata, network, runtime, snapshotter, volumes } = services;
  const facts = readHostFacts();
  const engineId = loadEngineId(metadata);
  const version = engineVersion(facts, await readComponents(runtime));
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
