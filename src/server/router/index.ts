import { buildRoutes } from './build/routes.ts';
import type { ContainerBackend, ContainerReferences } from './container/backend.ts';
import { commitRoute } from './container/commit.ts';
import { containerRoutes } from './container/routes.ts';
import { execRoutes } from './exec/routes.ts';
import type { ImageBackend } from './image/backend.ts';
import { imageRoutes } from './image/routes.ts';
import type { NetworkBackend } from './network/backend.ts';
import { networkChangeRoutes } from './network/changes.ts';
import { networkRoutes } from './network/routes.ts';
import { ownRoutes } from './own/routes.ts';
import { pluginRoutes } from './plugin/routes.ts';
import type { Route } from './route.ts';
import { swarmRoutes } from './swarm/routes.ts';
import type { SystemBackend } from './system/backend.ts';
import { systemRoutes } from './system/routes.ts';
import { usageRoutes } from './system/usage.ts';
import type { VolumeBackend } from './volume/backend.ts';
import { volumeRoutes } from './volume/routes.ts';

/** The engine behind the API, one part a resource. */
export interface Backends {
  readonly system: SystemBackend;
  readonly containers: ContainerBackend;
  readonly images: ImageBackend;
  readonly networks: NetworkBackend;
  readonly volumes: VolumeBackend;
}

/** All routes, as data. */
export function createRoutes(backends: Backends): Route[] {
  const { system, containers, images, networks, volumes } = backends;
  return [
    ...systemRoutes(system),
    ...usageRoutes(backends),
    ...containerRoutes(containers, referencesOf(backends)),
    commitRoute(containers),
    ...execRoutes(containers),
    ...imageRoutes(images),
    ...networkRoutes(networks),
    ...networkChangeRoutes(networks),
    ...buildRoutes(),
    ...volumeRoutes(volumes),
    ...pluginRoutes(),
    ...swarmRoutes(),
    ...ownRoutes(images),
  ];
}

/** What a container's answer needs of other rooms. A name that is gone is no error there. */
function referencesOf({ images, networks }: Backends): ContainerReferences {
  return {
    networkId: (name) => attempt(() => networks.get(name).id),
    meansImage: (name, imageId) => attempt(() => images.get(name).id) === imageId,
  };
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
