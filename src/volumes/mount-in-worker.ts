import { askWorker, workerUrl } from '#base';
import type { MountPlan } from './mount-plan.ts';
import type { MountAnswer } from './mount-worker.ts';

/** This room's Worker file, from the repository root: it must be an entry point of the built program. */
export const VOLUME_WORKER_ENTRY = 'src/volumes/mount-worker.ts';

/** `performMount` off this thread. There is no deadline: how long a server may take is an option of the mount. */
export async function mountInWorker(plan: MountPlan): Promise<void> {
  const url = workerUrl(VOLUME_WORKER_ENTRY, './mount-worker.ts', import.meta.url);
  const worker = new Worker(url, { smol: true });
  try {
    const { error } = await askWorker<MountAnswer>(worker, plan);
    if (error !== undefined) throw new Error(error);
  } finally {
    worker.terminate();
  }
}
