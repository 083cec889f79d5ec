import { afterAll, beforeAll } from 'bun:test';
import { givenHost, startDaemon, type TestDaemon } from './daemon.ts';
import { type Client, gantryClient, must, type Result, type RunOptions, run } from './programs.ts';

/** A test file's engine: its own daemon, or the endpoint named in the environment. */
export interface Engine {
  readonly host: string;
  /** Undefined when the endpoint was given: then the daemon itself is out of reach. */
  readonly daemon: TestDaemon | undefined;
  run(client: Client, args: readonly string[], options?: Partial<RunOptions>): Promise<Result>;
  must(client: Client, args: readonly string[], options?: Partial<RunOptions>): Promise<string>;
  /** Registers what runs after the file's last test, while the engine is still there. */
  defer(action: () => Promise<unknown>): void;
}

/**
 * Registers a daemon with the busybox image for the tests of this file, and its end; a given endpoint must have the
 * image. Use the returned object inside tests only: before them it is not started.
 */
export function useEngine(
  options: { readonly image?: boolean; readonly flags?: readonly string[] } = {},
): Engine {
  let host = givenHost() ?? '';
  let daemon: TestDaemon | undefined;
  beforeAll(async () => {
    if (host === '') {
      daemon = await startDaemon({ flags: options.flags ?? [] });
      host = daemon.host;
    }
    if (daemon && options.image !== false)
      await must(gantryClient, ['image', 'bootstrap', 'busybox'], { host });
  }, 120_000);
  const deferred: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const action of deferred.toReversed()) await action();
    await daemon?.[Symbol.asyncDispose]();
  }, 120_000);
  return {
    get host() {
      return host;
    },
    get daemon() {
      return daemon;
    },
    run: (client, args, extra) => run(client, args, { host, ...extra }),
    must: (client, args, extra) => must(client, args, { host, ...extra }),
    defer: (action) => void deferred.push(action),
  };
}

let counter = 0;
/** A container name that nothing else on the machine uses. */
export const uniqueName = (stem: string): string => `t${process.pid}-${stem}-${++counter}`;
