import { invalidArgument, parseSignal } from '#base';
import type { ImageHealthcheck } from '#oci';
import { idOutOfRange, noCommand } from '../errors.ts';
import type { ContainerConfig } from '../model.ts';

const MAX_HOSTNAME_BYTES = 64;
const MAX_ID = 2 ** 31 - 1;
const MINIMUM_NS = 1_000_000;

/** Checks what runs inside. @throws `invalid_argument` with docker's texts. Source: moby `daemon/container.go`. */
export function checkConfig(config: ContainerConfig): void {
  if (config.workingDir !== '' && !config.workingDir.startsWith('/')) {
    throw invalidArgument(
      `the working directory '${config.workingDir}' is invalid, it needs to be an absolute path`,
    );
  }
  if (Buffer.byteLength(config.hostname) > MAX_HOSTNAME_BYTES) {
    throw invalidArgument(
      `hostname ${JSON.stringify(config.hostname)} is too long (maximum ${MAX_HOSTNAME_BYTES} bytes)`,
    );
  }
  if (config.stopSignal) parseSignal(config.stopSignal);
  for (const entry of config.env) {
    if (entry === '' || entry.startsWith('='))
      throw invalidArgument(`invalid environment variable: ${entry}`);
  }
  checkUser(config.user);
  if (config.healthcheck) checkHealthcheck(config.healthcheck);
}

/** Executable and arguments. @throws `invalid_argument` when there is none. */
export function commandOf({ entrypoint = [], cmd = [] }: ContainerConfig): { path: string; args: string[] } {
  const [path, ...args] = [...entrypoint, ...cmd];
  if (path === undefined) throw noCommand();
  return { path, args };
}

/** Refuses numbers that would overflow to root further down (CVE-2024-40635). */
function checkUser(user: string): void {
  for (const part of user.split(':')) {
    if (/^[+-]?\d+$/.test(part) && !(Number(part) >= 0 && Number(part) <= MAX_ID)) throw idOutOfRange();
  }
}

function checkHealthcheck(check: ImageHealthcheck): void {
  const durations = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const;
  for (const name of durations) {
    const value = check[name] ?? 0;
    if (value !== 0 && value < MINIMUM_NS) {
      throw invalidArgument(`${name} in Healthcheck cannot be less than 1ms`);
    }
  }
  if ((check.Retries ?? 0) < 0) throw invalidArgument('Retries in Healthcheck cannot be negative');
}
