import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createEventBus, type EventBus, notFound, silentLogger } from '#base';
import type { CreateFromLayerOptions, StoredImage } from '#images';
import type { NetworkService } from '#network';
import { createFakeNetworkService } from '#network/testing';
import type { Digest, Image, ImageConfig } from '#oci';
import { createFakeRuntime, type FakeRuntime } from '#runtime/testing';
import type { MetadataStore } from '#store';
import { createMemoryMetadataStore } from '#store/testing';
import { createFakeSys, type FakeSys } from '#sys/testing';
import { createVolumeService, type VolumeService } from '#volumes';
import { CONTAINER_DEFAULTS, type ContainerDefaults } from '../defaults.ts';
import { createContainerService } from '../service.ts';
import type { ClientStreams, ContainerService, OutputChunk } from '../types.ts';
import { createDirectorySnapshotter, type DirectorySnapshotter } from './directory-snapshotter.ts';

const IMAGE_ID = `sha256:${'1'.repeat(64)}` as Digest;
const COMMITTED_ID = `sha256:${'2'.repeat(64)}` as Digest;

export interface ContainersFixture extends AsyncDisposable {
  readonly containers: ContainerService;
  readonly runtime: FakeRuntime;
  readonly snapshotter: DirectorySnapshotter;
  readonly network: NetworkService;
  readonly volumes: VolumeService;
  readonly metadata: MetadataStore;
  readonly sys: FakeSys;
  readonly bus: EventBus;
  readonly dataRoot: string;
  /** Config of the only image, `busybox`; change it before a create. */
  imageConfig: ImageConfig;
  /** The image was forced away. */
  imageIsGone: boolean;
  /** Thrown by each attempt to store something; within a transaction by its commit, as the real store does. */
  storeError: Error | undefined;
  /** The next daemon finds that the database was made anew. */
  isRebuilt: boolean;
  /** How often the images room was asked to collect garbage. */
  readonly collections: number;
  /** What the images room was asked to make. */
  readonly commits: readonly CommittedImage[];
  /** Actions of the container events so far. */
  actions(): string[];
  /** A successor on the same data, as after a `kill -9`; the runtime goes on, the network forgets what it did not store. */
  successor(): Promise<ContainerService>;
  /** Names of what lies below the data root for containers, volumes and snapshots: nothing may be left over. */
  leftovers(): { directories: string[]; snapshots: string[]; volumes: string[] };
}

/** One call of `createFromLayer`, with the layer read to its end. */
export interface CommittedImage {
  readonly options: CreateFromLayerOptions;
  readonly layer: Buffer;
  readonly config: Image;
}

export interface ContainersFixtureOptions {
  readonly defaults?: Partial<ContainerDefaults>;
  /** A recorded machine. */
  readonly hostRoot?: string;
}

/** The real service on fakes: no process, no mount, no interface. */
export async function createContainersFixture(
  options: ContainersFixtureOptions = {},
): Promise<ContainersFixture> {
  const dataRoot = mkdtempSync(join(tmpdir(), 'gantry-containers-'));
  const template = join(dataRoot, 'image');
  mkdirSync(join(template, 'etc'), { recursive: true });
  writeFileSync(join(template, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nweb:x:33:33::/var/www:/bin/sh\n');
  writeFileSync(join(template, 'etc/group'), 'root:x:0:\nwww:x:33:\nadm:x:4:web\n');
  const bus = createEventBus();
  const metadata = createMemoryMetadataStore();
  const snapshotter = createDirectorySnapshotter(join(dataRoot, 'snapshots'), template);
  const runtime = createFakeRuntime();
  const sys = createFakeSys();
  const volumes = createVolumeService({
    ...{ metadata, dataRoot, mounts: sys.mounts },
    events: bus,
    logger: silentLogger,
  });
  const networks = () => createFakeNetworkService({ metadata });
  const state = {
    imageConfig: { Cmd: ['sh'] } as ImageConfig,
    imageIsGone: false,
    storeError: undefined as Error | undefined,
    isRebuilt: false,
    collections: 0,
    commits: [] as CommittedImage[],
  };
  const images = {
    get: (ref: string) => {
      if (state.imageIsGone) throw notFound(`No such image: ${ref}`);
      return imageOf(ref, state.imageConfig);
    },
    collectGarbage: async () => {
      state.collections += 1;
      return 0;
    },
    createFromLayer: async (options: CreateFromLayerOptions) => {
      const made = { ...imageOf(IMAGE_ID, {}), id: COMMITTED_ID };
      const layer = await drain(options.layerTar);
      state.commits.push({
        options,
        layer,
        config: options.config(imageOf(IMAGE_ID, state.imageConfig).config),
      });
      return made;
    },
  };
  /** As each daemon opens it anew. */
  const reopened = (): MetadataStore => {
    const setAsideBefore = metadata.quarantined.length;
    let isInTransaction = false;
    const check = () => {
      if (state.storeError && !isInTransaction) throw state.storeError;
    };
    return {
      ...metadata,
      isRebuilt: state.isRebuilt,
      get quarantined() {
        return metadata.quarantined.slice(setAsideBefore);
      },
      collection(name, decode) {
        const rows = metadata.collection(name, decode);
        const put: typeof rows.put = (key, value) => {
          check();
          rows.put(key, value);
        };
        const remove: typeof rows.delete = (key) => {
          check();
          return rows.delete(key);
        };
        return { ...rows, put, delete: remove };
      },
      transaction: (action) =>
        metadata.transaction(() => {
          isInTransaction = true;
          try {
            return action();
          } finally {
            isInTransaction = false;
            check();
          }
        }),
    };
  };
  const open = (network: NetworkService) =>
    createContainerService({
      metadata: reopened(),
      snapshotter,
      images,
      network,
      runtime,
      volumes,
      sys,
      events: bus,
      logger: silentLogger,
      dataRoot,
      defaults: { ...CONTAINER_DEFAULTS, ...options.defaults },
      ...(options.hostRoot === undefined ? {} : { hostRoot: options.hostRoot }),
    });
  const network = networks();
  const containers = open(network);
  await containers.restore();
  const opened = [network];
  return Object.assign(state, {
    containers,
    runtime,
    snapshotter,
    network,
    volumes,
    metadata,
    sys,
    bus,
    dataRoot,
    actions: () =>
      bus
        .history()
        .filter(({ type }) => type === 'container')
        .map(({ action }) => action),
    async successor() {
      const next = networks();
      opened.push(next);
      const service = open(next);
      await service.restore();
      return service;
    },
    leftovers: () => ({
      directories: readdirSync(join(dataRoot, 'containers')),
      snapshots: snapshotter.snapshots(),
      volumes: volumes.list().map(({ name }) => name),
    }),
    async [Symbol.asyncDispose]() {
      await containers.shutdown({ stopAll: false });
      for (const service of opened) await service.stop();
      rmSync(dataRoot, { recursive: true, force: true });
    },
  });
}

async function drain(layer: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of layer ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function imageOf(ref: string, config: ImageConfig): StoredImage {
  if (ref !== 'busybox' && ref !== IMAGE_ID) throw notFound(`No such image: ${ref}`);
  return {
    id: IMAGE_ID,
    tags: ['docker.io/library/busybox:latest'],
    digests: [],
    config: { architecture: 'amd64', os: 'linux', config, rootfs: { type: 'layers', diff_ids: [] } },
    manifest: undefined,
    chainId: undefined,
    sizeBytes: 1000,
    layerSizes: [],
    lastTagTime: undefined,
    parent: undefined,
  };
}

export interface FakeClient extends ClientStreams {
  /** Output so far, `stdout` and `stderr` together. */
  readonly output: string;
  readonly chunks: readonly OutputChunk[];
  /** The client types. */
  type(text: string): void;
  /** The client half-closes. */
  endInput(): void;
  /** The client vanishes. */
  vanish(): void;
}

/** A client of attach or exec. */
export function createFakeClient(): FakeClient {
  const chunks: OutputChunk[] = [];
  const abort = new AbortController();
  const input = new TransformStream<Uint8Array, Uint8Array>(undefined, { highWaterMark: 1000 });
  const writer = input.writable.getWriter();
  return {
    input: input.readable as unknown as AsyncIterable<Uint8Array>,
    write: (chunk) => void chunks.push(chunk),
    signal: abort.signal,
    chunks,
    get output() {
      return Buffer.concat(chunks.map(({ data }) => data)).toString();
    },
    type: (text) => void writer.write(Buffer.from(text)),
    endInput: () => void writer.close(),
    vanish: () => abort.abort(),
  };
}
