import type { ContainerConfig } from '../model.ts';

/** A health check in effect: all defaults filled in, durations in milliseconds. */
export interface HealthCheck {
  /** What is executed; the shell is part of it. Never empty. */
  readonly command: readonly string[];
  /** Between the end of a probe and the start of the next one, and before the first. Default 30 s. */
  readonly intervalMs: number;
  /** How long a started probe may take. Default 30 s. */
  readonly timeoutMs: number;
  /** Failures in a row until the container is unhealthy. Default 3. */
  readonly retries: number;
  /** Failures this long after the start do not count, until the first success. Default 0. */
  readonly startPeriodMs: number;
  /** The interval during the start period while the container is starting. Default 5 s. */
  readonly startIntervalMs: number;
}

/** The part of a container's configuration that decides about its check. */
export type CheckedConfig = Pick<ContainerConfig, 'healthcheck' | 'shell'>;

const DEFAULT_INTERVAL_MS = 30_000;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_RETRIES = 3;
const DEFAULT_START_INTERVAL_MS = 5_000;
const DEFAULT_SHELL = ['/bin/sh', '-c'] as const;
const NS_PER_MS = 1e6;

/** The check of a container; undefined when it has none: no test, `NONE`, or a kind that docker does not know. */
export function healthCheckOf({ healthcheck, shell }: CheckedConfig): HealthCheck | undefined {
  const command = probeCommand(healthcheck?.Test ?? [], shell);
  if (!healthcheck || command.length === 0) return undefined;
  const { Interval, Timeout, Retries, StartPeriod, StartInterval } = healthcheck;
  return {
    command,
    intervalMs: milliseconds(Interval, DEFAULT_INTERVAL_MS),
    timeoutMs: milliseconds(Timeout, DEFAULT_TIMEOUT_MS),
    retries: Retries !== undefined && Retries > 0 ? Retries : DEFAULT_RETRIES,
    startPeriodMs: milliseconds(StartPeriod, 0),
    startIntervalMs: milliseconds(StartInterval, DEFAULT_START_INTERVAL_MS),
  };
}

function probeCommand([kind, ...rest]: readonly string[], shell: readonly string[] | undefined): string[] {
  if (kind === 'CMD') return rest;
  if (kind !== 'CMD-SHELL' || rest.length === 0) return [];
  return [...(shell && shell.length > 0 ? shell : DEFAULT_SHELL), ...rest];
}

/** Zero means "not set", as everywhere in this part of the API. */
function milliseconds(ns: number | undefined, defaultMs: number): number {
  return ns ? ns / NS_PER_MS : defaultMs;
}
