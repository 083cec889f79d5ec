import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { conflict, notFound } from '#base';
import type { Snapshotter } from '#store';

export interface DirectorySnapshotter extends Snapshotter {
  /** Thrown by the next `createSnapshot`. */
  failNext: Error | undefined;
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
    unmount: (key) => void mounted.delete(key),
    isMounted: (key) => mounted.has(key),
    async removeSnapshot(key) {
      mounted.delete(key);
      rmSync(path(key), { recursive: true, force: true });
    },
    snapshots: () => readdirSync(root),
    describe: (key) => ({ MergedDir: path(key) }),
    usage: async () => 42,
    changes: async () => [],
    diff: () => Readable.from([]),
    settle: async () => {},
  };
  return snapshotter;
}
