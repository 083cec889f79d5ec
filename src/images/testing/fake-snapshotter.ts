import type { Digest } from '#oci';
import { createFakeSnapshotter, type FakeSnapshotter } from '#store/testing';

export interface FailingSnapshotter extends FakeSnapshotter {
  /** Chain IDs in the order in which they were asked for, those that were there already left out. */
  readonly applied: readonly Digest[];
  /** Makes the next `applyLayer` fail. */
  failNext(error: Error): void;
}

/** The store's fake, which can be told to fail and remembers what it applied. */
export function createFailingSnapshotter(): FailingSnapshotter {
  const fake = createFakeSnapshotter();
  const apply = fake.applyLayer.bind(fake);
  const applied: Digest[] = [];
  let failure: Error | undefined;
  return Object.assign(fake, {
    applied,
    failNext: (error: Error) => {
      failure = error;
    },
    applyLayer: async (options: Parameters<typeof apply>[0]) => {
      const error = failure;
      failure = undefined;
      if (error) throw error;
      if (fake.layer(options.chainId) === undefined) applied.push(options.chainId);
      return apply(options);
    },
  });
}
