import { isNotFound } from '#base';
import type { ContainerService } from '#containers';
import type { ImageService } from '#images';
import type { NetworkMember, NetworkService } from '#network';
import type { ImageBackend, NetworkBackend } from '#server';

/** The image service with what only the containers know. */
export function imageBackend(images: ImageService, containers: ContainerService): ImageBackend {
  return {
    get: (name, platform) => images.get(name, platform),
    list: (filters) => images.list(filters),
    history: (name) => images.history(name),
    tag: (name, reference) => images.tag(name, reference),
    remove: (name, options) => images.remove(name, options),
    prune: (options) => images.prune(options),
    importRootfs: (tar, options) => images.importRootfs(tar, options),
    load: (archive, options) => images.load(archive, options),
    save: (names) => images.save(names),
    bootstrap: (kind, options) => images.bootstrap(kind, options),
    countContainers: (image) => containers.usersOf(image).length,
    diskUsage: () => images.diskUsage(),
  };
}

/** The network service with the names of containers. */
export function networkBackend(network: NetworkService, containers: ContainerService): NetworkBackend {
  return {
    list: () => network.list(),
    get: (name) => network.get(name),
    create: (name, driver) => network.create(name, driver),
    remove: (name) => network.remove(name),
    connect: (name, ref) => network.connect(name, memberOf(containers, ref)),
    disconnect: (name, ref) => network.disconnect(name, memberOf(containers, ref)),
    endpointsOf: (id) => network.endpointsOf(id),
    containerName: (id) => containerName(containers, id),
  };
}

function memberOf(containers: ContainerService, ref: string): NetworkMember {
  const { id, name, hostConfig } = containers.get(ref);
  return { id, name, networkMode: hostConfig.networkMode };
}

function containerName(containers: ContainerService, id: string): string | undefined {
  try {
    return containers.get(id).name;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
