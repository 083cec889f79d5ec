import { Readable } from 'node:stream';
import { createEventBus, notFound } from '#base';
import type { ClientStreams, ContainerView, OutputChunk } from '#containers';
import type { ContainerBackend } from '../router/container/backend.ts';
import type { ImageBackend } from '../router/image/backend.ts';
import type { Backends } from '../router/index.ts';
import type { NetworkBackend } from '../router/network/backend.ts';
import type { SystemBackend } from '../router/system/backend.ts';
import type { VolumeBackend } from '../router/volume/backend.ts';
import { sampleStats } from './sample-stats.ts';
import {
  SAMPLE_EXEC,
  SAMPLE_IMAGE_ID,
  SAMPLE_INFO,
  SAMPLE_VERSION,
  sampleContainer,
  sampleImage,
  sampleNetwork,
} from './samples.ts';

/** Replaces single methods of the fakes. */
export interface FakeOverrides {
  readonly system?: Partial<SystemBackend>;
  readonly containers?: Partial<ContainerBackend>;
  readonly images?: Partial<ImageBackend>;
  readonly networks?: Partial<NetworkBackend>;
  readonly volumes?: Partial<VolumeBackend>;
}

export interface FakeOptions extends FakeOverrides {
  readonly views?: readonly ContainerView[];
}

/** Backends that answer samples from memory; whatever is not faked says so by failing. */
export function createFakeBackends(options: FakeOptions = {}): Backends {
  const views = options.views ?? [sampleContainer('one')];
  return {
    system: {
      version: () => SAMPLE_VERSION,
      info: () => SAMPLE_INFO,
      events: createEventBus(),
      ...options.system,
    },
    containers: faked<ContainerBackend>('containers', { ...fakeContainers(views), ...options.containers }),
    images: faked<ImageBackend>('images', { ...fakeImages(), ...options.images }),
    networks: faked<NetworkBackend>('networks', { ...fakeNetworks(), ...options.networks }),
    volumes: faked<VolumeBackend>('volumes', { list: () => [], usage: async () => 0, ...options.volumes }),
  };
}

/** Fails with the method's name instead of "is not a function". Methods that may be missing stay missing. */
function faked<T extends object>(room: string, methods: Partial<T>): T {
  const optional = new Set(['pull', 'then']);
  return new Proxy(methods as T, {
    get(target, name, receiver) {
      const value = Reflect.get(target, name, receiver);
      if (value !== undefined || typeof name === 'symbol' || optional.has(name)) return value;
      return () => {
        throw new Error(`${room}.${name} is not faked`);
      };
    },
  });
}

function fakeContainers(views: readonly ContainerView[]): Partial<ContainerBackend> {
  const get = (ref: string): ContainerView => {
    const view = views.find(({ id, name }) => name === ref || id === ref);
    if (!view) throw notFound(`No such container: ${ref}`);
    return view;
  };
  return {
    get,
    list: () => [...views],
    create: async () => ({ id: sampleContainer('new').id, warnings: [] }),
    sizes: async () => ({ rwBytes: 0, rootFsBytes: 1_982_263 }),
    export: async () => Readable.from([Buffer.from('tar')]),
    async *logs() {
      yield [
        { stream: 'stdout', data: Buffer.from('out\n') },
        { stream: 'stderr', data: Buffer.from('err\n') },
      ] satisfies OutputChunk[];
    },
    async *stats(ref, { mode }) {
      get(ref);
      yield sampleStats(mode);
    },
    attach: (ref) => {
      const { config } = get(ref);
      return { tty: config.tty, openStdin: config.openStdin, run: echo };
    },
    top: async () => ({ titles: ['PID'], processes: [['1']] }),
    changes: async () => [{ path: '/new', kind: 'added' }],
    update: async () => ({ warnings: ['careful'] }),
    prune: async () => ({ deleted: ['one'], reclaimedBytes: 1 }),
    commit: async () => ({ id: SAMPLE_IMAGE_ID }),
    createExec: () => ({ id: SAMPLE_EXEC.id }),
    exec: () => SAMPLE_EXEC,
    wait: (ref) => {
      get(ref);
      return { exit: Promise.resolve({ exitCode: 3 }) };
    },
  };
}

/** Sends back what comes in, then a last word on stderr after the client's half close. */
export async function echo(streams: ClientStreams | undefined): Promise<void> {
  if (!streams) return;
  for await (const data of streams.input ?? []) await streams.write({ stream: 'stdout', data });
  await streams.write({ stream: 'stderr', data: Buffer.from('end\n') });
}

function fakeImages(): Partial<ImageBackend> {
  const image = sampleImage();
  const names = [image.id, 'busybox', 'busybox:latest'];
  return {
    list: () => [image],
    get(name) {
      if (names.includes(name)) return image;
      throw notFound(`No such image: ${name}`);
    },
    history: () => [],
    diskUsage: () => ({ layersBytes: image.sizeBytes, images: [{ id: image.id, sharedBytes: 0 }] }),
    countContainers: () => 1,
    save: () => Readable.from([Buffer.from('archive')]),
  };
}

function fakeNetworks(): Partial<NetworkBackend> {
  const network = sampleNetwork();
  return {
    list: () => [network],
    get(name) {
      if (name === network.name || name === network.id) return network;
      throw notFound(`network ${name} not found`);
    },
    endpointsOf: () => {
      const view = sampleContainer('one');
      return (view.sandbox?.endpoints ?? []).map((endpoint) => ({ containerId: view.id, endpoint }));
    },
    containerName: () => 'one',
  };
}
