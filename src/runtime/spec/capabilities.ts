import { invalidArgument } from '#base';
import type { Sys } from '#sys';

/** What a container gets unless told otherwise. Source: Engine API, `docker run --cap-add` reference table. */
export const DEFAULT_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FSETID',
  'CAP_FOWNER',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETFCAP',
  'CAP_SETPCAP',
  'CAP_NET_BIND_SERVICE',
  'CAP_SYS_CHROOT',
  'CAP_KILL',
  'CAP_AUDIT_WRITE',
];

/** Every capability of Linux in numeric order. Source: capabilities(7). */
export const ALL_CAPABILITIES: readonly string[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
];

/** The capabilities the daemon can hand on: its own effective ones, in numeric order. */
export function availableCapabilities(sys: Pick<Sys, 'processes'>): string[] {
  const own = new Set(sys.processes.effectiveCapabilities());
  return ALL_CAPABILITIES.filter((name) => own.has(name));
}

export interface CapabilityRequest {
  /** Names with or without `CAP_`, any case, or `ALL`. */
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
  /** See {@link availableCapabilities}. */
  readonly available: readonly string[];
}

export interface Cut<T> {
  readonly value: T;
  /** One line for each thing that the daemon could not give. */
  readonly warnings: readonly string[];
}

/**
 * The capability set of a container: defaults, `--cap-add`, `--cap-drop`, `--privileged`, cut to what the daemon has.
 * `ALL` and privileged are cut silently (they mean "whatever there is"); one asked for by name is cut with a warning.
 * @throws `invalid_argument` with docker's text for an unknown name.
 */
export function resolveCapabilities(request: CapabilityRequest): Cut<string[]> {
  const add = request.add.map((name) => normalize(name, 'CapAdd'));
  const drop = request.drop.map((name) => normalize(name, 'CapDrop'));
  if (request.privileged) return { value: [...request.available], warnings: [] };
  const wanted = wantedCapabilities(add, drop, request.available);
  const available = new Set(request.available);
  const missing = add.filter((name) => name !== 'ALL' && !available.has(name));
  return {
    value: wanted.filter((name) => available.has(name)),
    warnings: missing.map((name) => `capability ${name} was not granted: the daemon does not have it itself`),
  };
}

function wantedCapabilities(
  add: readonly string[],
  drop: readonly string[],
  available: readonly string[],
): string[] {
  const dropped = new Set(drop);
  if (add.includes('ALL')) return available.filter((name) => !dropped.has(name));
  if (dropped.has('ALL')) return [...new Set(add)];
  return [...new Set([...DEFAULT_CAPABILITIES.filter((name) => !dropped.has(name)), ...add])];
}

function normalize(name: string, field: string): string {
  const upper = name.toUpperCase();
  if (upper === 'ALL') return upper;
  const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (!ALL_CAPABILITIES.includes(full))
    throw invalidArgument(`invalid ${field}: unknown capability: "${full}"`);
  return full;
}
