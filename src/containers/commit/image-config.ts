import type { ImageConfig } from '#oci';
import type { ContainerConfig } from '../model.ts';

/** The part of a container's config that an image carries. */
export function toImageConfig(config: ContainerConfig): ImageConfig {
  return withoutEmpty({
    User: config.user,
    ExposedPorts: toSet(config.exposedPorts),
    Env: config.env,
    Entrypoint: config.entrypoint ?? null,
    Cmd: config.cmd ?? null,
    Volumes: toSet(config.volumes),
    WorkingDir: config.workingDir,
    Labels: config.labels,
    StopSignal: config.stopSignal ?? '',
    ArgsEscaped: config.argsEscaped,
    Healthcheck: config.healthcheck ?? {},
    OnBuild: config.onBuild ?? [],
    Shell: config.shell ?? [],
  });
}

const toSet = (keys: readonly string[]): Record<string, object> =>
  Object.fromEntries(keys.map((key) => [key, {}]));

function withoutEmpty(config: ImageConfig): ImageConfig {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object') return !value;
  return value === null || Object.keys(value).length === 0;
}

/**
 * The config asked for, with the container's own behind it: lists and maps are united, single values taken when they
 * are missing, and the command only where there is no entrypoint. Source: moby `daemon/commit.go` (merge).
 */
export function mergeConfigs(asked: ImageConfig, own: ImageConfig): ImageConfig {
  const hasEntrypoint = (asked.Entrypoint?.length ?? 0) > 0;
  const command = hasEntrypoint || (asked.Cmd?.length ?? 0) > 0 ? asked.Cmd : own.Cmd;
  return withoutEmpty({
    ...own,
    ...withoutEmpty(asked),
    ExposedPorts: { ...own.ExposedPorts, ...asked.ExposedPorts },
    Env: mergeEnv(asked.Env ?? [], own.Env ?? []),
    Volumes: { ...own.Volumes, ...asked.Volumes },
    Labels: { ...own.Labels, ...asked.Labels },
    Cmd: command ?? null,
    // An empty one was asked for: none.
    Entrypoint: asked.Entrypoint === undefined ? (own.Entrypoint ?? null) : asked.Entrypoint,
  });
}

const nameOf = (entry: string): string => entry.split('=', 1)[0] ?? '';

function mergeEnv(asked: readonly string[], own: readonly string[]): string[] {
  const named = new Set(asked.map(nameOf));
  return [...asked, ...own.filter((entry) => !named.has(nameOf(entry)))];
}
