import { errnoCode } from '#base';

/** Keeps a bridge name for this process. */
export interface BridgeClaim {
  release(): void;
}

/**
 * Takes a bridge name for this daemon. An abstract Unix socket is the lock: it lives in the network namespace,
 * as the bridge does, and goes with the process however that ends. Undefined when somebody has it.
 */
export function claimBridge(name: string): BridgeClaim | undefined {
  try {
    const listener = Bun.listen({
      unix: `\0gantry/bridge/${name}`,
      socket: { data() {}, open: (socket) => void socket.end() },
    });
    listener.unref();
    return { release: () => listener.stop(true) };
  } catch (error) {
    if (errnoCode(error) === 'EADDRINUSE') return undefined;
    throw error;
  }
}
