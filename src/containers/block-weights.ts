import type { Engine } from './engine.ts';
import type { Container } from './model.ts';
import { cgroupPathOf } from './paths.ts';
import { writeBlockWeights } from './spec/block-weights.ts';

/** Gives a container with a cgroup its block I/O weights. Where the kernel has none, the daemon's log says so. */
export function applyBlockWeights({ sys, defaults, logger }: Engine, container: Container): void {
  const path = cgroupPathOf(container, defaults);
  if (!writeBlockWeights(sys.cgroups, path, container.hostConfig)) {
    logger.warn('block I/O weights have no effect on this machine', { container: container.id });
  }
}
