import { ownValue, tolerantGoRegexp } from '#base';
import type { Container, LogConfig } from '../model.ts';
import type { LogInfo } from './types.ts';

/** What drivers get to know about a container; `config` are the options in effect. */
export function logInfoOf(container: Container, config: LogConfig['config']): LogInfo {
  return {
    containerId: container.id,
    containerName: container.name,
    command: [container.path, ...container.args],
    imageId: container.imageId,
    imageName: container.config.image,
    created: container.created,
    env: container.config.env,
    labels: container.config.labels,
    config,
  };
}

/**
 * The labels and variables that the options `labels`, `labels-regex`, `env` and `env-regex` choose. A variable wins
 * over a label of the same name, a later rule over an earlier one. `rename` changes the keys.
 * Source: moby `daemon/logger/loginfo.go`.
 */
export function extraAttributes(
  { config, labels, env }: LogInfo,
  rename: (key: string) => string = (key) => key,
): Record<string, string> {
  const variables = Object.fromEntries(
    env.filter((entry) => entry.includes('=')).map((entry) => splitAt(entry, entry.indexOf('='))),
  );
  const chosen = [
    ...selectByName(labels, config['labels']),
    ...selectByPattern(labels, config['labels-regex']),
    ...selectByName(variables, config['env']),
    ...selectByPattern(variables, config['env-regex']),
  ];
  return Object.fromEntries(chosen.map(([key, value]) => [rename(key), value]));
}

type Pairs = readonly (readonly [string, string])[];

const splitAt = (text: string, at: number): [string, string] => [text.slice(0, at), text.slice(at + 1)];

function selectByName(values: Readonly<Record<string, string>>, names: string | undefined): Pairs {
  return (names ?? '').split(',').flatMap((name) => {
    const value = ownValue(values, name);
    return value === undefined ? [] : [[name, value] as const];
  });
}

function selectByPattern(values: Readonly<Record<string, string>>, pattern: string | undefined): Pairs {
  if (!pattern) return [];
  const matcher = tolerantGoRegexp(pattern);
  return Object.entries(values).filter(([key]) => matcher.test(key));
}
