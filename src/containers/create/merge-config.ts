import { posix } from 'node:path';
import type { ImageConfig, ImageHealthcheck } from '#oci';
import type { ContainerConfig } from '../model.ts';

/**
 * The user's config with the image's behind it. A given entrypoint drops the image's command as well; an empty
 * entrypoint means "none". Source: moby `daemon/commit.go` (merge), OCI image-spec config.md.
 */
export function mergeImageConfig(user: ContainerConfig, image: ImageConfig = {}): ContainerConfig {
  return {
    ...user,
    ...mergeCommand(user, image),
    user: user.user || image.User || '',
    exposedPorts: union(user.exposedPorts, Object.keys(image.ExposedPorts ?? {})),
    env: mergeEnv(user.env, image.Env ?? []),
    labels: { ...image.Labels, ...user.labels },
    healthcheck: mergeHealthcheck(user.healthcheck, image.Healthcheck),
    workingDir: cleanDirectory(user.workingDir || image.WorkingDir || ''),
    volumes: union(user.volumes, Object.keys(image.Volumes ?? {})),
    stopSignal: user.stopSignal || image.StopSignal || undefined,
    shell: user.shell ?? image.Shell,
    onBuild: user.onBuild ?? image.OnBuild ?? undefined,
  };
}

/** `/tmp/` is kept as `/tmp`; what is not absolute, and refused later, as it is. */
const cleanDirectory = (path: string): string =>
  path.startsWith('/') ? posix.normalize(path).replace(/(?!^)\/+$/, '') : path;

const union = (first: readonly string[], second: readonly string[]): string[] => [
  ...new Set([...first, ...second]),
];

function mergeCommand(
  user: ContainerConfig,
  image: ImageConfig,
): Pick<ContainerConfig, 'cmd' | 'entrypoint'> {
  const hasEntrypoint = user.entrypoint !== undefined && user.entrypoint.length > 0;
  if (hasEntrypoint) return { cmd: user.cmd, entrypoint: unlessNone(user.entrypoint) };
  const hasCommand = user.cmd !== undefined && user.cmd.length > 0;
  return {
    cmd: hasCommand ? user.cmd : (image.Cmd ?? undefined),
    entrypoint: unlessNone(user.entrypoint ?? image.Entrypoint ?? undefined),
  };
}

/** One empty string is how `--entrypoint ""` says "none"; unlike none at all it drops the image's command, too. */
const unlessNone = (entrypoint: readonly string[] | undefined): readonly string[] | undefined =>
  entrypoint?.length === 1 && entrypoint[0] === '' ? undefined : entrypoint;

const nameOf = (entry: string): string => entry.split('=', 1)[0] ?? '';

/** The user's variables first, then the image's that the user did not name. */
function mergeEnv(user: readonly string[], image: readonly string[]): string[] {
  const named = new Set(user.map(nameOf));
  return [...user, ...image.filter((entry) => !named.has(nameOf(entry)))];
}

function mergeHealthcheck(
  user: ImageHealthcheck | undefined,
  image: ImageHealthcheck | undefined,
): ImageHealthcheck | undefined {
  if (!user || !image) return user ?? image;
  const given = Object.entries(user).filter(([, value]) =>
    Array.isArray(value) ? value.length > 0 : value !== 0,
  );
  return { ...image, ...Object.fromEntries(given) };
}
