import { errorMessage, type Logger, workerUrl } from '#base';
import { workerDied } from '../errors.ts';
import type { KernelEvents, NetworkKernel } from '../kernel.ts';
import { type Call, type KernelMethod, type Reply, unpackError, type WorkerSetup } from './protocol.ts';

/** The Worker's file, from the repository root: to be listed as an entry point of the compiled program. */
export const NETWORK_WORKER_ENTRY = 'src/network/worker/main.ts';

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface RunningWorker {
  readonly worker: Worker;
  readonly pending: Map<number, Pending>;
  /** Whether it ever answered: one that cannot even load is not started again and again. */
  isProven: boolean;
}

/**
 * A kernel that lives in a Worker of its own. When the Worker dies, its calls fail with `unavailable`, a fresh
 * one is started and `onRestarted` tells the owner to set it up again.
 */
export function createWorkerKernel(options: {
  readonly events: KernelEvents;
  readonly logger: Logger;
  readonly maxHeldPorts?: number;
  /** The Worker's module. Default: ours, wherever the program runs from. */
  readonly url?: string;
}): NetworkKernel {
  const host = new WorkerHost(options);
  const forward =
    (method: KernelMethod) =>
    (...args: readonly unknown[]) =>
      host.call(method, args);
  const methods = Object.fromEntries(KERNEL_METHODS.map((method) => [method, forward(method)]));
  return { ...(methods as unknown as NetworkKernel), close: () => host.close() };
}

const METHOD_TABLE = {
  hostFacts: true,
  claimBridge: true,
  ensureBridge: true,
  removeBridge: true,
  reattach: true,
  ensureSysctl: true,
  openPorts: true,
  closePorts: true,
  createSandbox: true,
  removeSandbox: true,
  pinnedNamespaces: true,
  applyRules: true,
  forgetFlows: true,
  watchRules: true,
  close: true,
} satisfies Record<KernelMethod, true>;
const KERNEL_METHODS = Object.keys(METHOD_TABLE) as KernelMethod[];

class WorkerHost {
  readonly #url: string;
  readonly #events: KernelEvents;
  readonly #logger: Logger;
  readonly #setup: WorkerSetup;
  #running: RunningWorker | undefined;
  #nextId = 1;
  #isClosing = false;

  constructor(options: {
    readonly events: KernelEvents;
    readonly logger: Logger;
    readonly maxHeldPorts?: number;
    readonly url?: string;
  }) {
    this.#url = options.url ?? workerUrl(NETWORK_WORKER_ENTRY, './main.ts', import.meta.url);
    this.#events = options.events;
    this.#logger = options.logger;
    this.#setup = { maxHeldPorts: options.maxHeldPorts };
  }

  call(method: KernelMethod, args: readonly unknown[]): Promise<unknown> {
    this.#running ??= this.#start();
    const running = this.#running;
    const call: Call = { id: this.#nextId++, method, args };
    return new Promise((resolve, reject) => {
      running.pending.set(call.id, { resolve, reject });
      running.worker.postMessage(call);
    });
  }

  async close(): Promise<void> {
    const running = this.#running;
    if (!running) return;
    this.#isClosing = true;
    try {
      await this.call('close', []);
    } catch (error) {
      // It died instead, which comes to the same.
      this.#logger.debug('network worker did not close by itself', { reason: errorMessage(error) });
    } finally {
      running.worker.terminate();
      this.#running = undefined;
      this.#isClosing = false;
    }
  }

  #start(): RunningWorker {
    const worker = new Worker(this.#url, { smol: true, name: 'network' });
    const running: RunningWorker = { worker, pending: new Map(), isProven: false };
    worker.onmessage = (event: MessageEvent<Reply>) => this.#receive(running, event.data);
    worker.onerror = (event) => this.#fail(running, event.message);
    worker.addEventListener('close', () => this.#fail(running, 'it exited'));
    worker.postMessage(this.#setup);
    return running;
  }

  #receive(running: RunningWorker, reply: Reply): void {
    if ('event' in reply) {
      if (reply.event === 'onWatchLost') this.#events.onWatchLost(reply.reason);
      else this.#events.onRulesDamaged();
      return;
    }
    running.isProven = true;
    const pending = running.pending.get(reply.id);
    running.pending.delete(reply.id);
    if (reply.ok) pending?.resolve(reply.value);
    else pending?.reject(unpackError(reply.error));
  }

  #fail(running: RunningWorker, reason: string): void {
    for (const { reject } of running.pending.values()) reject(workerDied(reason));
    running.pending.clear();
    if (this.#running !== running) return;
    this.#running = undefined;
    if (this.#isClosing) return;
    this.#logger.error('network worker ended', { reason });
    running.worker.terminate();
    if (!running.isProven) return;
    this.#running = this.#start();
    this.#events.onRestarted();
  }
}
