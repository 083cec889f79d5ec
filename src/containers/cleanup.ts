import { errorMessage } from '#base';
import type { Engine } from './engine.ts';
import { containerPaths } from './paths.ts';

/**
 * Gives back what a run held: runtime state, network, mounts, log rotation. Idempotent; a part that fails is
 * logged and does not keep the others from being done.
 */
export async function releaseRun(engine: Engine, id: string): Promise<void> {
  const logger = engine.logger.child({ container: id });
  const attempt = async (what: string, action: () => unknown) => {
    try {
      await action();
    } catch (error) {
      logger.warn('cleanup after a run failed', { what, error: errorMessage(error) });
    }
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
  await attempt('shm', () => unmountShm(engine, id));
}

function unmountShm(engine: Engine, id: string): void {
  if (engine.registry.byId(id)?.hostConfig.ipcMode !== 'shareable') return;
  const { shm } = containerPaths(engine.dataRoot, id);
  const isMounted = engine.sys.mounts.list().some(({ target }) => target === shm);
  if (isMounted) engine.sys.mounts.unmount(shm, { detach: true });
}
