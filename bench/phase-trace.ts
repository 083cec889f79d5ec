import { must } from '../tests/harness/programs.ts';
import type { Engine } from './engine.ts';
import { quantile } from './statistics.ts';

const STARTS = 15;
const PREFIX = 'gantry.start.';

interface StartEvent {
  readonly Action: string;
  readonly Actor: { readonly Attributes: Readonly<Record<string, string>> };
}

/** Starts some containers and prints the median of each phase of the engine's part, as the start events tell it. */
export async function phaseTrace({ client, host }: Engine): Promise<string> {
  const since = Math.floor(Date.now() / 1000);
  for (let round = 0; round < STARTS; round += 1)
    await must(client, ['run', '--rm', 'busybox', 'true'], { host });
  return await phasesSince(host, since);
}

/** The median of each phase of the starts since a Unix time, as far as the engine remembers them. */
export async function phasesSince(host: string, since: number): Promise<string> {
  const until = Math.floor(Date.now() / 1000) + 1;
  const filters = encodeURIComponent(JSON.stringify({ event: ['start'] }));
  const unix = host.replace('unix://', '');
  const response = await fetch(`http://engine/events?since=${since}&until=${until}&filters=${filters}`, {
    unix,
  });
  const events = (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as StartEvent);
  return formatPhases(events.map(({ Actor }) => Actor.Attributes));
}

function formatPhases(starts: readonly Readonly<Record<string, string>>[]): string {
  const phases = Object.keys(starts[0] ?? {}).filter((name) => name.startsWith(PREFIX));
  const median = (phase: string): number =>
    quantile(
      starts.map((attributes) => Number(attributes[phase] ?? 0)),
      0.5,
    );
  const lines = phases.map(
    (phase) => `  ${phase.slice(PREFIX.length).padEnd(8)} ${median(phase).toFixed(2)}`,
  );
  return ["  the engine's part of one start, by phase (ms):", ...lines].join('\n');
}
