import { createSys } from '#sys';
import type { NetworkKernel } from '../kernel.ts';
import { createLocalKernel } from './local-kernel.ts';
import { type Call, packError, type Reply, type WorkerSetup } from './protocol.ts';

/*
 * Entry point of the network Worker. Netlink and nftables calls block while others hold the kernel's locks;
 * here they hold up nobody. Calls are begun in the order they come.
 */
declare const self: Worker;

const post = (reply: Reply): void => self.postMessage(reply);

let kernel: NetworkKernel | undefined;

self.onmessage = (event: MessageEvent<WorkerSetup | Call>) => {
  const message = event.data;
  if ('method' in message) void answer(message);
  else kernel = open(message);
};

function open({ maxHeldPorts }: WorkerSetup): NetworkKernel {
  return createLocalKernel({
    sys: createSys(),
    events: {
      onRulesDamaged: () => post({ event: 'onRulesDamaged' }),
      onWatchLost: (reason) => post({ event: 'onWatchLost', reason }),
    },
    ...(maxHeldPorts === undefined ? {} : { maxHeldPorts }),
  });
}

async function answer({ id, method, args }: Call): Promise<void> {
  try {
    if (!kernel) throw new Error('network worker was not set up');
    // The client's types pair each method with its arguments; here they are only passed on.
    const call = kernel[method] as (...args: readonly unknown[]) => Promise<unknown>;
    post({ id, ok: true, value: await call(...args) });
  } catch (error) {
    post({ id, ok: false, error: packError(error) });
  }
}
