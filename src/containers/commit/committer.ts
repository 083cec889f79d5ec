import { applyChanges } from '#images';
import { hostPlatform, type Image, type ImageConfig } from '#oci';
import type { Controller } from '../control.ts';
import { withoutMountPoints } from '../diff-filter.ts';
import type { Engine } from '../engine.ts';
import { commitOfDead, commitOfRemoved } from '../errors.ts';
import type { Container } from '../model.ts';
import type { CommitOptions } from '../types.ts';
import { mergeConfigs, toImageConfig } from './image-config.ts';
import { withoutMembers } from './layer-filter.ts';

/** What a commit adds to the image: a layer, or nothing but a step in the history. */
interface Difference {
  readonly layerTar: AsyncIterable<Uint8Array> | undefined;
}

/** `docker commit`: an image of what a container has become. */
export class Committer {
  readonly #engine: Engine;
  readonly #controller: Pick<Controller, 'pause' | 'unpause'>;

  constructor(engine: Engine, controller: Pick<Controller, 'pause' | 'unpause'>) {
    this.#engine = engine;
    this.#controller = controller;
  }

  /**
   * Goes on when the client that asked is gone, as in docker. @throws `conflict` for a container that is dead or being
   * removed, `invalid_argument` for bad changes or a bad reference: both before anything is frozen.
   */
  async commit(ref: string, options: CommitOptions): Promise<{ id: string }> {
    const { registry, images, events } = this.#engine;
    const container = registry.resolve(ref);
    if (container.state.status === 'dead') throw commitOfDead(container.id);
    if (container.state.status === 'removing') throw commitOfRemoved(container.id);
    const config = imageConfig(container, options);
    await using _frozen = await this.#freeze(container, options.pause);
    const { layerTar } = await this.#difference(container);
    const created = new Date().toISOString();
    const image = await images.createFromLayer({
      base: container.imageId,
      layerTar,
      config: (base) => describeImage(base, container, config, { ...options, created, isEmpty: !layerTar }),
      ...(options.reference ? { reference: options.reference } : {}),
    });
    events.publish(container, 'commit', {
      comment: options.comment,
      imageID: image.id,
      imageRef: options.reference ?? '',
    });
    return { id: image.id };
  }

  /** Thaws only what it has frozen. A container that does not run, or ends just now, stands still by itself. */
  async #freeze({ id, state }: Container, isWanted: boolean): Promise<AsyncDisposable> {
    const isFrozen =
      isWanted &&
      state.status === 'running' &&
      (await this.#controller.pause(id).then(
        () => true,
        () => false,
      ));
    return {
      [Symbol.asyncDispose]: async () => {
        if (isFrozen) await this.#controller.unpause(id).catch(() => {});
      },
    };
  }

  /** Without the mount points that the runtime has put into the tree. */
  async #difference({ id }: Container): Promise<Difference> {
    const { snapshotter } = this.#engine;
    const all = await snapshotter.changes(id);
    const kept = new Set(withoutMountPoints(all).map(({ path }) => path));
    if (kept.size === 0) return { layerTar: undefined };
    const dropped = new Set(all.map(({ path }) => path).filter((path) => !kept.has(path)));
    return { layerTar: withoutMembers(snapshotter.diff(id), dropped) };
  }
}

function imageConfig(container: Container, { config, changes }: CommitOptions): ImageConfig {
  const own = toImageConfig(container.config);
  return mergeConfigs(applyChanges(config ? toImageConfig(config) : own, changes), own);
}

function describeImage(
  base: Image | undefined,
  { id, config: { cmd } }: Container,
  config: ImageConfig,
  options: Pick<CommitOptions, 'author' | 'comment'> & {
    readonly created: string;
    readonly isEmpty: boolean;
  },
): Image {
  const { author, comment, created, isEmpty } = options;
  const said = { ...(author ? { author } : {}), ...(comment ? { comment } : {}) };
  const step = {
    created,
    created_by: (cmd ?? []).join(' '),
    ...said,
    ...(isEmpty ? { empty_layer: true } : {}),
  };
  const { architecture, os, variant } = base ?? hostPlatform();
  return {
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    created,
    ...said,
    container: id,
    config,
    rootfs: base?.rootfs ?? { type: 'layers', diff_ids: [] },
    history: [...(base?.history ?? []), step],
  };
}
