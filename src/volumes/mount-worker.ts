/** A Worker for one mount that may wait for a disk or a server: mount(2) holds up the thread that calls it. */
import { errorMessage } from '#base';
import { createMounts } from '#sys';
import type { MountPlan } from './mount-plan.ts';
import { performMount } from './perform.ts';

/** Undefined: it is mounted. */
export interface MountAnswer {
  readonly error: string | undefined;
}

declare const self: Worker;

self.onmessage = ({ data }: MessageEvent<MountPlan>) => {
  const answer = (error: string | undefined) => self.postMessage({ error } satisfies MountAnswer);
  try {
    performMount(createMounts(), data);
    answer(undefined);
  } catch (error) {
    answer(errorMessage(error));
  }
};
