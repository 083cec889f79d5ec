import { mkdir, rm } from 'node:fs/promises';
import { createId, errorMessage, invalidArgument, isNotFound, settleAll, shortId } from '#base';
import type { StoredImage } from '#images';
import type { IdMappings } from '#oci';
import { resolveCapabilities, restrictedPaths } from '#runtime';
import type { Engine } from '../engine.ts';
import { resolveLinks } from '../links/resolve-links.ts';
import { checkLogHost } from '../log-drivers/index.ts';
import type {
  Container,
  ContainerConfig,
  ContainerId,
  ContainerLink,
  CreateRequest,
  HostConfig,
} from '../model.ts';
import { fillVolumes } from '../mounts/fill-volumes.ts';
import { bindImages } from '../mounts/images.ts';
import { planMounts } from '../mounts/plan.ts';
import { bindVolumes } from '../mounts/volumes.ts';
import { checkName, generateName } from '../names.ts';
import { containerPaths } from '../paths.ts';
import type { NameReservation } from '../registry.ts';
import { specDevices } from '../spec/devices.ts';
import { checkUlimits, specLimits } from '../spec/limits.ts';
import { parseSecurity } from '../spec/security.ts';
import { chooseLabels, type Labels, NO_LABELS } from '../spec/selinux.ts';
import { adaptHostConfig } from './adapt.ts';
import { checkConfig, commandOf } from './check-config.ts';
import { checkHostConfig } from './check-host-config.ts';
import { checkPlatform } from './check-platform.ts';
import { checkResources } from './check-resources.ts';
import { checkStorageOptions } from './check-storage.ts';
import { discardLimits } from './discard-limits.ts';
import { effectiveLogging } from './log-config.ts';
import { mergeImageConfig } from './merge-config.ts';
import { portRequests } from './ports.ts';
import { userNamespaceOf } from './user-namespace.ts';
import { WorkingDirectories } from './working-directory.ts';

/** A request with the image's and the daemon's part filled in, checked. */
interface Resolved {
  readonly image: StoredImage;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly links: readonly ContainerLink[];
  readonly idMappings: IdMappings | undefined;
  readonly labels: Labels;
  readonly warnings: readonly string[];
}

/** Makes containers: checks everything first, then makes snapshot, directory, volumes and row, or nothing. */
export class Creator {
  readonly #engine: Engine;
  readonly #directories = new WorkingDirectories();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async create(request: CreateRequest): Promise<{ id: ContainerId; warnings: readonly string[] }> {
    const { mounts = [] } = request.hostConfig;
    await this.#engine.sources.pass(mounts.flatMap(({ type, source }) => (type === 'bind' ? [source] : [])));
    const resolved = this.#resolve(request);
    // Most containers are started right after they were made.
    this.#engine.sys.cgroups.expectAttach();
    const id = createId() as ContainerId;
    using name = this.#reserveName(request.name, id);
    const container = await this.#make(id, name.name, request, resolved);
    name.reservation.keep();
    this.#engine.events.publish(container, 'create');
    return { id, warnings: resolved.warnings };
  }

  #reserveName(
    given: string | undefined,
    id: ContainerId,
  ): Disposable & { name: string; reservation: NameReservation } {
    const { registry } = this.#engine;
    const name = given ? checkName(given) : generateName((candidate) => registry.isNameTaken(candidate));
    const reservation = registry.reserveName(name, id);
    return { name, reservation, [Symbol.dispose]: () => reservation[Symbol.dispose]() };
  }

  /** All checks. Nothing exists yet, so a mistake leaves nothing behind. */
  #resolve(request: CreateRequest): Resolved {
    const { images, defaults, registry, host, runtime, sys } = this.#engine;
    checkHostConfig(request.config, request.hostConfig, request.name);
    const image = images.get(request.config.image);
    const platformWarnings = checkPlatform(request.config.image, image, request.platform);
    const config = mergeImageConfig(request.config, image.config.config);
    checkConfig(config);
    commandOf(config);
    const adapted = adaptHostConfig(request.hostConfig, defaults, {
      cgroupMode: sys.cgroups.mode,
      resolve: (ref) => asBadRequest(() => registry.resolve(ref)),
      defaultRuntime: runtime.defaultRuntime,
      canDisableOomKiller: host.resources.supported.has('oomKillDisable'),
      paths: restrictedPaths(host.spec),
    });
    const { value: hostConfig, warnings } = discardLimits(adapted, host.resources);
    if (!Object.hasOwn(runtime.runtimes, hostConfig.runtime)) {
      throw invalidArgument(`unknown or invalid runtime name: ${hostConfig.runtime}`);
    }
    const links = resolveLinks(hostConfig.links, (ref) => registry.resolve(ref));
    const idMappings = userNamespaceOf(hostConfig, defaults);
    checkResources(hostConfig, host.resources);
    checkStorageOptions(hostConfig.storageOpt);
    checkUlimits(hostConfig.ulimits);
    const security = parseSecurity(hostConfig, defaults);
    specDevices({ devices: [], deviceCgroupRules: hostConfig.deviceCgroupRules });
    const logConfig = effectiveLogging(hostConfig.logConfig, defaults).config;
    checkLogHost(logConfig);
    return {
      image,
      config,
      hostConfig: { ...hostConfig, logConfig },
      links,
      idMappings,
      labels: this.#labels(security.labels),
      warnings: [...platformWarnings, ...warnings, ...this.#warnings(hostConfig)],
    };
  }

  /** No two containers have the same categories, unless they ask for it. */
  #labels(options: readonly string[]): Labels {
    const { host, registry } = this.#engine;
    if (!host.selinux) return NO_LABELS;
    return chooseLabels(
      host.selinux,
      options,
      registry.all().map(({ processLabel = '' }) => processLabel),
    );
  }

  /** What the daemon itself lacks is cut, not passed on as a crash; the user is told. */
  #warnings(hostConfig: HostConfig): string[] {
    const { host, defaults } = this.#engine;
    const capabilities = resolveCapabilities({
      add: hostConfig.capAdd,
      drop: hostConfig.capDrop,
      privileged: hostConfig.privileged,
      available: host.capabilities,
    });
    const limits = specLimits(hostConfig.ulimits, defaults.ulimits, hostConfig.oomScoreAdj, host.limits);
    const hasLostPorts = hostConfig.networkMode === 'host' && Object.keys(hostConfig.portBindings).length > 0;
    return [
      ...(hasLostPorts ? ['Published ports are discarded when using host network mode'] : []),
      ...capabilities.warnings,
      ...limits.warnings,
    ];
  }

  async #make(
    id: ContainerId,
    name: string,
    request: CreateRequest,
    { image, config, hostConfig, links, idMappings, labels }: Resolved,
  ): Promise<Container> {
    const { registry, snapshotter, images, volumes, network, dataRoot } = this.#engine;
    const paths = containerPaths(dataRoot, id);
    const ports = portRequests(config, hostConfig);
    const planned = planMounts(config, hostConfig, {
      resolve: (ref) => asBadRequest(() => registry.resolve(ref)),
      dataRoot,
      readOnlyNonRecursive: request.readOnlyNonRecursive ?? false,
    });
    if (!hostConfig.networkMode.startsWith('container:')) {
      const { networkMode } = hostConfig;
      const { endpoints } = request;
      const wanted = { containerId: id, containerName: name, networkMode, endpoints, ports };
      asBadRequest(() => network.validate(wanted));
    }
    await using undo = new AsyncDisposableStack();
    const tree = { mappings: idMappings, label: labels.mountLabel || undefined };
    const imageOf = (ref: string) => asBadRequest(() => images.get(ref));
    const seen = await bindImages(planned, { id, tree, imageOf, snapshotter }, undo);
    const mounts = await bindVolumes(seen, id, volumes, undo);
    undo.defer(() => rm(paths.directory, { recursive: true, force: true }));
    undo.defer(() => snapshotter.removeSnapshot(id));
    await settleAll([
      mkdir(paths.directory, { recursive: true, mode: 0o710 }),
      snapshotter.createSnapshot(id, image.chainId, tree),
    ]);
    const { chainId } = image;
    this.#directories.make(this.#engine, { key: id, directory: config.workingDir, chainId, idMappings });
    await fillVolumes(this.#engine, { id, mounts });
    const container: Container = {
      id,
      name,
      created: new Date().toISOString(),
      imageId: image.id,
      ...(idMappings === undefined ? {} : { idMappings }),
      ...(labels.mountLabel === '' ? {} : labels),
      ...commandOf(config),
      config: { ...config, hostname: defaultHostname(config, hostConfig, id) },
      hostConfig,
      endpoints: request.endpoints,
      ...(links.length > 0 ? { links } : {}),
      portRequests: ports,
      mounts,
      state: { status: 'created' },
      restartCount: 0,
      manuallyStopped: false,
      driver: snapshotter.name,
      logPath: hostConfig.logConfig.type === 'none' ? '' : paths.log,
      hostnamePath: paths.hostname,
      hostsPath: paths.hosts,
      resolvConfPath: paths.resolvConf,
    };
    registry.save(container);
    undo.move();
    return container;
  }
}

/** The short ID, unless the host's name is shown (empty then: it is read at start). */
function defaultHostname({ hostname }: ContainerConfig, host: HostConfig, id: string): string {
  if (hostname !== '' || host.networkMode === 'host' || host.utsMode === 'host') return hostname;
  return shortId(id);
}

/**
 * Docker's clients take "not found" at create for a missing image, and pull it. Whatever else is missing is a mistake in
 * the request.
 */
function asBadRequest<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (isNotFound(error)) throw invalidArgument(errorMessage(error), { cause: error });
    throw error;
  }
}
