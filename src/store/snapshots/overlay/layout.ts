import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, digestHex } from '#oci';

/** Where things lie below the snapshotter's root. Nothing else knows these names. */
export class Layout {
  readonly root: string;
  readonly layers: string;
  readonly snapshots: string;
  /** Layers being applied. */
  readonly staging: string;
  /** What is to be deleted in the background. */
  readonly trash: string;
  /** The lower directory of snapshots without a parent; overlayfs wants one. */
  readonly empty: string;

  constructor(root: string) {
    this.root = root;
    this.layers = join(root, 'layers');
    this.snapshots = join(root, 'snapshots');
    this.staging = join(root, 'staging');
    this.trash = join(root, 'trash');
    this.empty = join(root, 'empty');
    for (const dir of [root, this.layers, this.snapshots, this.staging, this.trash, this.empty])
      mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  layer(chainId: Digest): string {
    return join(this.layers, digestHex(chainId));
  }

  snapshot(key: string): SnapshotPaths {
    const dir = join(this.snapshots, key);
    return { dir, upper: join(dir, 'diff'), work: join(dir, 'work'), merged: join(dir, 'merged') };
  }
}

export interface SnapshotPaths {
  readonly dir: string;
  /** The writable tree. Called `diff`, as in docker. */
  readonly upper: string;
  readonly work: string;
  readonly merged: string;
}

/** The files of a layer within its directory. */
export const filesOf = (layerDir: string): string => join(layerDir, 'diff');
/** The record beside the files of a layer or snapshot. */
export const recordOf = (dir: string): string => join(dir, 'record.json');

/** Reads a record file; undefined when it is missing or damaged. */
export function readRecord<T>(dir: string, decode: (stored: unknown) => T): T | undefined {
  try {
    return decode(JSON.parse(readFileSync(recordOf(dir), 'utf8')));
  } catch {
    return undefined;
  }
}
