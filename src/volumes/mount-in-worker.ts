import type { MountPlan } from './mount-plan.ts';
import type { MountAnswer } from './mount-worker.ts';

/** This room's Worker file, from the repository root: it must be an entry point of the built program. */
export const VOLUME_WORKER_ENTRY = 'src/volumes/mount-worker.ts';

/** `performMount` off this thread. There is no deadline: how long a server may take is an option of the mount. */
export async function mountInWorker(plan: MountPlan): Promise<void> {
  const isBuilt = import.meta.url.includes('/$bunfs/');
  const url = isBuilt ? `./${VOLUME_WORKER_ENTRY}` : new URL('./mount-worker.ts', import.meta.url).href;
  const worker = new Worker(url, { smol: true });
  const { promise, resolve, reject } = Promise.withResolvers<MountAnswer>();
  worker.onmessage = (event: MessageEvent<MountAnswer>) => resolve(event.data);
  worker.onerror = (event) => reject(new Error(event.message));
  worker.addEventListener('close', () => reject(new Error('the worker ended')));
  try {
    worker.postMessage(plan);
    const { error } = await promise;
    if (error !== undefined) throw new Error(error);
  } finally {
    worker.terminate();
  }
}
