import { tolerantGoRegexp } from '#base';
import type { ContainerConfig, LogConfig } from '../model.ts';

/**
 * What `logs --details` puts in front of each line: the labels and variables that the log options name, sorted,
 * as `k=v,k=v`. Empty when there are none. Source: moby `daemon/logger/loginfo.go`.
 */
export function logDetails(config: ContainerConfig, { config: options }: LogConfig): string {
  const variables = Object.fromEntries(
    config.env.map((entry) => {
      const at = entry.indexOf('=');
      return at < 0 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
  const chosen = {
    ...select(config.labels, options['labels'], options['labels-regex']),
    ...select(variables, options['env'], options['env-regex']),
  };
  return Object.entries(chosen)
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .sort()
    .join(',');
}

function select(
  values: Readonly<Record<string, string>>,
  names: string | undefined,
  pattern: string | undefined,
): Record<string, string> {
  const listed = new Set((names ?? '').split(',').filter(Boolean));
  const matcher = pattern ? tolerantGoRegexp(pattern) : undefined;
  const entries = Object.entries(values).filter(([key]) => listed.has(key) || matcher?.test(key));
  return Object.fromEntries(entries);
}
