import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createEventBus, createId, type EventBus, silentLogger } from '#base';
import { CONTAINER_DEFAULTS, type ContainerService, createContainerService } from '#containers';
import { createImageService } from '#images';
import { createNetworkService } from '#network';
import { createRuntime, type Runtime } from '#runtime';
import { createOverlaySnapshotter, openContentStore, openMetadataStore, type Snapshotter } from '#store';
import { createSys } from '#sys';
import { createVolumeService, type VolumeService } from '#volumes';
import { ownName } from '../../harness/test-run.ts';

export interface RealEngine {
  readonly containers: ContainerService;
  readonly runtime: Runtime;
  readonly snapshotter: Snapshotter;
  readonly volumes: VolumeService;
  readonly bus: EventBus;
  /** Lets go of everything as `kill -9` would: what runs goes on, nothing is stored or cleaned up. */
  abandon(): Promise<void>;
  /** Orderly end, containers stopped. */
  close(): Promise<void>;
}

export interface Machine extends AsyncDisposable {
  /** Unique name: bridge and cgroup parent. */
  readonly name: string;
  readonly dataRoot: string;
  readonly execRoot: string;
  /** Opens an engine on the machine's data; the image `busybox` is there. */
  open(): Promise<RealEngine>;
}

/** What a second process needs to open an engine on the same machine. */
export type MachinePlace = Pick<Machine, 'name' | 'dataRoot' | 'execRoot'>;

/** Directories and names for one test file; removes all that is left at its end. */
export function createMachine(place: Partial<MachinePlace> = {}): Machine {
  const name = place.name ?? `gct${createId().slice(0, 6)}`;
  const dataRoot = place.dataRoot ?? mkdtempSync(`/var/tmp/${ownName('ct-data-')}`);
  const execRoot = place.execRoot ?? mkdtempSync(`/run/${ownName('ct-')}`);
  let current: RealEngine | undefined;
  const open = async () => {
    const engine = await openEngine(dataRoot, execRoot, name, () => {
      current = undefined;
    });
    current = engine;
    return engine;
  };
  return {
    name,
    dataRoot,
    execRoot,
    open,
    async [Symbol.asyncDispose]() {
      await (current ?? (await open())).close();
      rmSync(dataRoot, { recursive: true, force: true });
      rmSync(execRoot, { recursive: true, force: true });
    },
  };
}

async function openEngine(
  dataRoot: string,
  execRoot: string,
  bridge: string,
  onClose: () => void,
): Promise<RealEngine> {
  const logger = silentLogger;
  const sys = createSys();
  const bus = createEventBus();
  const metadata = openMetadataStore({ path: join(dataRoot, 'metadata.db'), logger });
  const content = await openContentStore({ root: join(dataRoot, 'content'), logger });
  const snapshotter = createOverlaySnapshotter({ root: join(dataRoot, 'overlay2'), metadata, sys, logger });
  const images = await createImageService({ metadata, content, snapshotter, events: bus, logger });
  const network = createNetworkService({ metadata, execRoot, logger, bridge: { name: bridge } });
  const runtime = await createRuntime({ execRoot, sys, logger, cacheRoot: join(dataRoot, 'seccomp') });
  const volumes = createVolumeService({ metadata, dataRoot, mounts: sys.mounts, events: bus, logger });
  const containers = createContainerService({
    metadata,
    snapshotter,
    images,
    network,
    runtime,
    volumes,
    sys,
    events: bus,
    logger,
    dataRoot,
    defaults: { ...CONTAINER_DEFAULTS, cgroupParent: `/${ownName(bridge)}` },
  });
  await containers.restore();
  if (images.list().length === 0) await images.bootstrap('busybox');
  const release = async (options: { readonly removeAll: boolean }) => {
    await runtime.close();
    await network.stop(options);
    await snapshotter.settle();
    metadata[Symbol.dispose]();
    onClose();
  };
  return {
    containers,
    runtime,
    snapshotter,
    volumes,
    bus,
    abandon: () => release({ removeAll: false }),
    async close() {
      // First what is under way by itself: removals of `--rm` containers, restarts.
      await containers.shutdown({ stopAll: false });
      for (const { id } of containers.list({ all: true })) {
        await containers.remove(id, { force: true, volumes: true });
      }
      sys.cgroups.remove(`/${bridge}`);
      await release({ removeAll: true });
    },
  };
}
