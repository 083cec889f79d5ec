import { silentLogger } from '#base';
import { createMemoryMetadataStore } from '#store/testing';
import type { NetworkServiceOptions } from '../options.ts';
import { createNetworkService } from '../service.ts';
import type { NetworkService } from '../types.ts';
import { createFakeMachine, type FakeMachine } from './fake-kernel.ts';

/** The real service on a machine in memory: real decisions, addresses and errors, no kernel. Not started yet. */
export function createFakeNetworkService(
  options: Partial<NetworkServiceOptions> & { readonly machine?: FakeMachine } = {},
): NetworkService {
  const machine = options.machine ?? createFakeMachine();
  return createNetworkService({
    metadata: createMemoryMetadataStore(),
    execRoot: '/run/fake',
    logger: silentLogger,
    createKernel: (events) => machine.open(events),
    ...options,
  });
}
