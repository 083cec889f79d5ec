import type { Controller } from './control.ts';
import type { Engine } from './engine.ts';
import type { ExitHandler } from './exit.ts';
import type { Remover } from './remove.ts';
import type { Restorer } from './restore.ts';
import { settledWithin } from './settled-within.ts';
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
  // For good: a start that waits for the server of a volume would wait on.
  engine.volumes.giveUpMounts();
  const { registry, instances, companions, defaults } = engine;
  for (const instance of instances.all()) instance.backoff.cancel();
  await restorer.close();
  await remover.close();
  if (stopAll) {
    const alive = registry.all().filter(({ state }) => isAlive(state));
    const stops = Promise.allSettled(alive.map(({ id }) => controller.stop(id, { byUser: false })));
    const own = alive.map(({ config }) => config.stopTimeoutS ?? defaults.stopTimeoutS);
    const limitMs = waitMs(own, timeoutS);
    if (!(await settledWithin(stops, limitMs)))
      engine.logger.error('containers are left running: they did not stop in time', { waitedMs: limitMs });
  }
  await exits.settle();
  for (const instance of instances.all()) {
    instance.session.end();
    await instance.rotator?.[Symbol.asyncDispose]();
  }
  await companions.close();
}

/** What the end of a container takes beyond its time to stop. */
const GRACE_S = 5;

/** The daemon waits for its own time, or longer where a container has more; a time below 0 is no limit. As dockerd does. */
function waitMs(stopTimeoutsS: readonly number[], timeoutS: number): number | undefined {
  if (timeoutS < 0 || stopTimeoutsS.some((own) => own < 0)) return undefined;
  return 1000 * Math.max(timeoutS, ...stopTimeoutsS.map((own) => own + GRACE_S));
}
