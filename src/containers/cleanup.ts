import { setTimeout as sleep } from 'node:timers/promises';
import { errorMessage } from '#base';
import type { Engine } from './engine.ts';
import { unmountSources } from './mounts/run-mounts.ts';
import { containerPaths } from './paths.ts';

/** Pauses before a part that failed is tried again: enough for a moment without descriptors. */
const PAUSES_MS = [20, 100] as const;
/** What failed after such a time has waited long enough: a runtime that hangs, for example. */
const SLOW_MS = 1000;

/**
 * Gives back what a run held: runtime state, network, mounts, log rotation. Idempotent; a part that fails is tried
 * again, then logged, and does not keep the others from being done.
 * @returns what could not be given back, in words; empty when all is done.
 */
export async function releaseRun(engine: Engine, id: string): Promise<readonly string[]> {
  const logger = engine.logger.child({ container: id });
  const failures: string[] = [];
  const attempt = async (what: string, action: () => unknown) => {
    const error = await persistently(action);
    if (error === undefined) return;
    failures.push(`${what}: ${errorMessage(error)}`);
    logger.warn('cleanup after a run failed', { what, error: errorMessage(error) });
  };
  const instance = engine.instances.peek(id);
  const rotator = instance?.rotator;
  if (instance) instance.rotator = undefined;
  await Promise.all([
    attempt('network', () => engine.network.removeSandbox(id)),
    attempt('runtime', () => engine.runtime.delete(id)),
    attempt('log rotation', () => rotator?.[Symbol.asyncDispose]()),
  ]);
  await attempt('rootfs', () => engine.snapshotter.unmount(id));
  const container = engine.registry.byId(id);
  if (container) await attempt('volumes', () => unmountSources(engine, container));
  await attempt('shm', () => unmountShm(engine, id));
  return failures;
}

/** Why the action failed every time; undefined when it has been done. */
async function persistently(action: () => unknown): Promise<unknown> {
  for (let attempts = 0; ; attempts += 1) {
    const begin = Date.now();
    try {
      await action();
      return undefined;
    } catch (error) {
      const pauseMs = PAUSES_MS[attempts];
      if (pauseMs === undefined || Date.now() - begin > SLOW_MS) return error ?? 'failed';
      await sleep(pauseMs);
    }
  }
}

function unmountShm(engine: Engine, id: string): void {
  if (engine.registry.byId(id)?.hostConfig.ipcMode !== 'shareable') return;
  const { shm } = containerPaths(engine.dataRoot, id);
  const isMounted = engine.sys.mounts.list().some(({ target }) => target === shm);
  if (isMounted) engine.sys.mounts.unmount(shm, { detach: true });
}
