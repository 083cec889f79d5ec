import { afterAll, beforeAll } from 'bun:test';
import { givenHost, startDaemon, type TestDaemon } from './daemon.ts';
import { type Client, GANTRY, must, type Result, type RunOptions, run } from './programs.ts';

/** A test file's engine: its own daemon, or the endpoint named in the environment. */
export interface Engine {
  readonly host: string;
  /** Undefined when the endpoint was given: then the daemon itself is out of reach. */
  readonly daemon: TestDaemon | undefined;
  run(client: Client, args: readonly string[], options?: Partial<RunOptions>): Promise<Result>;
  must(client: Client, args: readonly string[], options?: Partial<RunOptions>): Promise<string>;
}

/**
 * Registers a daemon with the busybox image for the tests of this file, and its end. Use the returned object inside
 * tests only: before them it is not started.
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
    if (options.image !== false) await ensureBusybox(host);
  }, 120_000);
  afterAll(async () => {
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
  };
}

/** On our engine the image is bootstrapped; a given endpoint must have it. */
async function ensureBusybox(host: string): Promise<void> {
  const gantry = { name: 'gantry', path: GANTRY };
  const { code } = await run(gantry, ['image', 'inspect', 'busybox'], { host });
  if (code !== 0) await must(gantry, ['image', 'bootstrap', 'busybox'], { host });
}

let counter = 0;
/** A container name that nothing else on the machine uses. */
export const uniqueName = (stem: string): string => `t${process.pid}-${stem}-${++counter}`;
