import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { conflict, createTarStream, notFound, type TarInput } from '#base';
import type { FilesystemChange, Snapshotter } from '#store';

export interface DirectorySnapshotter extends Snapshotter {
  /** Thrown by the next `createSnapshot`. */
  failNext: Error | undefined;
  /** Thrown by the next `unmount`. */
  unmountError: Error | undefined;
  /** Thrown by the next calls of `removeSnapshot`, one each. */
  readonly removalErrors: Error[];
  /** What every container differs in from its image. */
  difference: { readonly changes: FilesystemChange[]; readonly members: readonly TarInput[] };
  /** Keys that are mounted. */
  readonly mounted: ReadonlySet<string>;
}

/** Container snapshots as plain copies of `template`, without layers or mounts: for tests without privileges. */
export function createDirectorySnapshotter(root: string, template: string): DirectorySnapshotter {
  const mounted = new Set<string>();
  const path = (key: string) => join(root, key);
  const noLayers = (): never => {
    throw conflict('this snapshotter has no layers');
  };
  mkdirSync(root, { recursive: true });
  const snapshotter: DirectorySnapshotter = {
    name: 'directories',
    failNext: undefined,
    unmountError: undefined,
    removalErrors: [],
    difference: { changes: [], members: [] },
    mounted,
    status: () => [],
    applyLayer: noLayers,
    layer: () => undefined,
    removeLayer: noLayers,
    layers: () => [],
    async createSnapshot(key) {
      const failure = snapshotter.failNext;
      snapshotter.failNext = undefined;
      if (failure) throw failure;
      if (existsSync(path(key))) throw conflict(`snapshot ${key} exists`);
      cpSync(template, path(key), { recursive: true });
    },
    mount(key) {
      if (!existsSync(path(key))) throw notFound(`snapshot ${key} not found`);
      mounted.add(key);
      return path(key);
    },
    unmount(key) {
      const failure = snapshotter.unmountError;
      snapshotter.unmountError = undefined;
      if (failure) throw failure;
      mounted.delete(key);
    },
    isMounted: (key) => mounted.has(key),
    async removeSnapshot(key) {
      const failure = snapshotter.removalErrors.shift();
      if (failure) throw failure;
      mounted.delete(key);
      rmSync(path(key), { recursive: true, force: true });
    },
    snapshots: () => readdirSync(root),
    describe: (key) => ({ MergedDir: path(key) }),
    usage: async () => 42,
    changes: async () => snapshotter.difference.changes,
    diff: () => createTarStream(snapshotter.difference.members),
    settle: async () => {},
  };
  return snapshotter;
}
