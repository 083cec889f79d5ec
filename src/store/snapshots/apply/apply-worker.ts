/**
 * Entry point of the layer Workers (see worker-pool.ts). Each makes its own `Sys`; one job at a time.
 */
import { createFdOps, createSys } from '#sys';
import { applyArchive } from './apply-archive.ts';
import { type ApplyReply, type ApplyRequest, failureReply } from './messages.ts';

declare const self: {
  onmessage: (event: { readonly data: ApplyRequest }) => void;
  postMessage(reply: ApplyReply): void;
};

self.onmessage = async ({ data: { id, job, cancel } }) => {
  const flag = new Int32Array(cancel);
  try {
    const result = await applyArchive(job, {
      files: createSys().files,
      fdOps: createFdOps(),
      isCanceled: () => Atomics.load(flag, 0) !== 0,
    });
    self.postMessage({ id, result });
  } catch (error) {
    self.postMessage(failureReply(id, error));
  }
};
