import type { Controller } from './control.ts';
import type { Engine } from './engine.ts';
import type { ExitHandler } from './exit.ts';
import type { Remover } from './remove.ts';
import type { Restorer } from './restore.ts';
import { isAlive } from './state.ts';
import type { ContainerService } from './types.ts';

export type ShutdownOptions = Parameters<ContainerService['shutdown']>[0];

interface ShutdownParts {
  readonly controller: Controller;
  readonly exits: ExitHandler;
  readonly remover: Remover;
  readonly restorer: Restorer;
}

/** Ends what goes on in the background, first of all what would start containers; with `stopAll` those that run as well. */
export async function shutDown(
  engine: Engine,
  { controller, exits, remover, restorer }: ShutdownParts,
  { stopAll, timeoutS = -1 }: ShutdownOptions,
): Promise<void> {
  exits.shutdown();
  const { registry, instances, companions, defaults } = engine;
  for (const instance of instances.all()) instance.backoff.cancel();
  await restorer.close();
  await remover.close();
  if (stopAll) {
    const alive = registry.all().filter(({ state }) => isAlive(state));
    await Promise.allSettled(
      alive.map(({ id, config }) => {
        const own = config.stopTimeoutS ?? defaults.stopTimeoutS;
        return controller.stop(id, { byUser: false, timeoutS: shorter(own, timeoutS) });
      }),
    );
  }
  await exits.settle();
  for (const instance of instances.all()) {
    instance.session.end();
    await instance.rotator?.[Symbol.asyncDispose]();
  }
  await companions.close();
}

/** The shorter of two times to stop; below 0 there is no limit. */
const shorter = (one: number, other: number): number =>
  one < 0 || other < 0 ? Math.max(one, other) : Math.min(one, other);
