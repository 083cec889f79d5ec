import { bridgeInUse, invalidBridgeName, noBridgeName } from './errors.ts';
import type { HostFacts, NetworkKernel } from './kernel.ts';
import { DEFAULT_BRIDGE } from './options.ts';

const BRIDGE_NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/;
/** How many daemons find a bridge name for themselves in one network namespace. */
const MAX_CHOICES = 1000;

/**
 * Finds the default bridge for this daemon and claims it. A name the user gave is that name or an error;
 * otherwise the one used last, else the first that is free: missing, or left behind empty.
 * @throws `unavailable` when the wanted bridge is another daemon's, `invalid_argument` for a bad name.
 */
export async function chooseBridge(options: {
  readonly kernel: NetworkKernel;
  readonly facts: HostFacts;
  readonly wanted: string | undefined;
  readonly previous: string | undefined;
  /** Containers run on `previous`: it stays until a start without any. */
  readonly isInUse: boolean;
}): Promise<string> {
  const { kernel, facts, wanted, previous, isInUse } = options;
  if (wanted !== undefined && !BRIDGE_NAME.test(wanted)) throw invalidBridgeName(wanted);
  const fixed = isInUse && previous ? previous : wanted;
  if (fixed !== undefined) {
    if (await kernel.claimBridge(fixed)) return fixed;
    throw bridgeInUse(fixed);
  }
  for (const name of candidates(previous)) {
    if ((name === previous || isVacant(facts, name)) && (await kernel.claimBridge(name))) return name;
  }
  throw noBridgeName();
}

function* candidates(previous: string | undefined): Generator<string> {
  if (previous) yield previous;
  const stem = DEFAULT_BRIDGE.replace(/\d+$/, '');
  for (let number = 0; number < MAX_CHOICES; number += 1) yield `${stem}${number}`;
}

// A bridge with something plugged in serves containers of a daemon that is down: theirs, even if unclaimed.
const isVacant = (facts: HostFacts, name: string): boolean => {
  const link = facts.links.find((candidate) => candidate.name === name);
  return !link || (link.kind === 'bridge' && !facts.links.some(({ master }) => master === name));
};
