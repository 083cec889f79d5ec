import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { randomUUID } from 'node:crypto';
import {
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { TarInput } from '#base';
import { type Digest, digestOf, type IdMappings } from '#oci';
import type { ApplyLayerOptions, Snapshotter } from '../types.ts';
import { layerTar } from './archives.ts';
import { hostileArchiveSuite } from './hostile-suite.ts';
import { layerSuite } from './layer-suite.ts';
import { snapshotSuite } from './snapshot-suite.ts';

export interface SnapshotterFixture extends AsyncDisposable {
  readonly snapshotter: Snapshotter;
}

/** What the parts of the suite work with; new for every test. */
export interface SuiteContext {
  readonly snapshotter: Snapshotter;
  /** A directory with a file `canary` in it that no layer may touch. */
  readonly outside: string;
  /** Writes a blob and returns its path. */
  blob(bytes: Uint8Array): string;
  apply(members: readonly TarInput[], parent?: Digest): Promise<Digest>;
  applyBytes(bytes: Uint8Array, options?: Partial<ApplyLayerOptions>): Promise<Digest>;
  /** Mounts a new snapshot on a layer (or on nothing) and returns its root and key. */
  mount(
    parent?: Digest,
    options?: { readonly mappings?: IdMappings },
  ): Promise<{ readonly root: string; readonly key: string }>;
  /** The snapshot's difference as a file. */
  exportDiff(key: string): Promise<string>;
}

/**
 * What every {@link Snapshotter} must do, seen through its mounts. Needs root. `create` gives an empty one;
 * disposing must remove it with its mounts.
 */
export function snapshotterSuite(name: string, create: () => Promise<SnapshotterFixture>): void {
  describe(`${name}: Snapshotter contract`, () => {
    let fixture: SnapshotterFixture;
    let dir = '';
    let context: SuiteContext | undefined;

    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), 'gantry-test-snap-'));
      fixture = await create();
      context = createContext(fixture.snapshotter, dir);
    });
    afterEach(async () => {
      const { snapshotter } = fixture;
      for (const key of snapshotter.snapshots()) await snapshotter.removeSnapshot(key);
      await snapshotter.settle();
      await fixture[Symbol.asyncDispose]();
      rmSync(dir, { recursive: true, force: true });
    });

    const run = (title: string, body: (context: SuiteContext) => Promise<void>): void =>
      test(title, async () => {
        if (!context) throw new Error('no context');
        await body(context);
        expect(readdirSync(context.outside)).toEqual(['canary']);
        expect(readFileSync(join(context.outside, 'canary'), 'utf8')).toBe('alive');
      });

    layerSuite(run);
    snapshotSuite(run);
    hostileArchiveSuite(run);
  });
}

export type RunTest = (title: string, body: (context: SuiteContext) => Promise<void>) => void;

function createContext(snapshotter: Snapshotter, dir: string): SuiteContext {
  const outside = join(dir, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'canary'), 'alive');
  const blob = (bytes: Uint8Array): string => {
    const path = join(dir, randomUUID());
    writeFileSync(path, bytes);
    return path;
  };
  const applyBytes = async (bytes: Uint8Array, options: Partial<ApplyLayerOptions> = {}): Promise<Digest> => {
    const chainId = digestOf(randomUUID());
    await snapshotter.applyLayer({ chainId, parent: undefined, blobPath: blob(bytes), ...options });
    return chainId;
  };
  return {
    snapshotter,
    outside,
    blob,
    applyBytes,
    apply: async (members, parent) => applyBytes(await layerTar(members), { parent }),
    mount: async (parent, options) => {
      const key = `snapshot-${randomUUID()}`;
      await snapshotter.createSnapshot(key, parent, options);
      return { root: snapshotter.mount(key), key };
    },
    exportDiff: async (key) => {
      const path = join(dir, `${randomUUID()}.tar`);
      await pipeline(snapshotter.diff(key), createWriteStream(path));
      return path;
    },
  };
}

/** `expect(promise).rejects` for an error code. */
export async function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  await expect(promise).rejects.toMatchObject({ code });
}
