import { SLOWNESS } from './slowness.ts';

/** How long {@link eventually} goes on before it gives up. Generous: it bounds a hang, it measures nothing. */
const PATIENCE_MS = 20_000 * SLOWNESS;
const PAUSE_MS = 20;

/**
 * The one place where tests wait for a state they cannot subscribe to: asks again and again until `probe` returns
 * something other than undefined or false. The last error or answer is in the message when it never does.
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
): Promise<Exclude<T, undefined | false>> {
  const end = Date.now() + PATIENCE_MS;
  let last: unknown;
  for (;;) {
    try {
      const answer = await probe();
      if (answer !== undefined && answer !== false) return answer as Exclude<T, undefined | false>;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) throw new Error(`gave up waiting for ${what}; last: ${String(last)}`);
    await Bun.sleep(PAUSE_MS);
  }
}
