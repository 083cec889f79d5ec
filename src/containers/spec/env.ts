export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const nameOf = (entry: string): string => entry.split('=', 1)[0] ?? '';

/**
 * `base` with `overrides` on top: a known name keeps its place, a name without `=` takes the variable away.
 * Source: moby `container/env.go`.
 */
export function overrideEnv(base: readonly string[], overrides: readonly string[]): string[] {
  const merged = new Map(base.map((entry) => [nameOf(entry), entry]));
  for (const entry of overrides) {
    if (entry.includes('=')) merged.set(nameOf(entry), entry);
    else merged.delete(entry);
  }
  return [...merged.values()];
}

/**
 * The environment of a process: docker's defaults, then `layers` (the config's, for an exec also its own), each
 * on top of the one before; HOME when nobody set it, or to nothing.
 */
export function processEnv(options: {
  readonly tty: boolean;
  readonly hostname: string;
  readonly home: string;
  readonly layers: readonly (readonly string[])[];
}): string[] {
  const base = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${options.hostname}`];
  if (options.tty) base.push('TERM=xterm');
  const env = options.layers
    .reduce<readonly string[]>(overrideEnv, base)
    .filter((entry) => entry !== 'HOME=');
  return env.some((entry) => nameOf(entry) === 'HOME') ? env : [...env, `HOME=${options.home}`];
}
