import { existsSync } from 'node:fs';
import { availableParallelism, release } from 'node:os';
import type { Process, Spec, SpecDevice, SpecResources } from '#oci';
import { resolveSeccomp, type SeccompHost } from '../seccomp/resolve.ts';
import type { SpecInput, SpecProcessInput, TerminalSize } from '../types.ts';
import { ALL_DEVICES_RULE, DEFAULT_DEVICE_RULES, listHostDevices } from './devices.ts';
import { buildMounts, INIT_DESTINATION } from './mounts.ts';
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from './paths.ts';

/** What a spec depends on beside its input. */
export interface SpecHost extends SeccompHost {
  /** Device nodes for privileged containers. */
  devices(): readonly SpecDevice[];
  /** Masked in addition to the fixed list: what this machine's processors have. */
  readonly extraMaskedPaths: readonly string[];
}

/** Reads {@link SpecHost} from this machine. */
export function readSpecHost(): SpecHost {
  const throttles = Array.from(
    { length: availableParallelism() },
    (_, cpu) => `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`,
  );
  return {
    architecture: process.arch,
    kernelRelease: release(),
    devices: () => listHostDevices(),
    extraMaskedPaths: throttles.filter((path) => existsSync(path)),
  };
}

/** Annotations with this prefix steer crun itself and must never come from a client. */
const RUNTIME_ANNOTATION = 'run.oci.';
const OCI_VERSION = '1.0.2';

/** The OCI runtime spec of a container, as docker would write it. Pure, given `host`. */
export function buildSpec(input: SpecInput, host: SpecHost): Spec {
  const args = input.initPath === undefined ? [] : [INIT_DESTINATION, '--'];
  const process = { ...input.process, args: [...args, ...input.process.args] };
  return {
    ociVersion: OCI_VERSION,
    process: buildProcess(process, input),
    root: { path: input.rootfs, readonly: input.readonlyRootfs },
    ...(input.hostname === undefined ? {} : { hostname: input.hostname }),
    mounts: buildMounts(input),
    annotations: clientAnnotations(input.annotations),
    ...(input.hooks ? { hooks: input.hooks } : {}),
    linux: buildLinux(input, host),
  };
}

/**
 * The `process` object of a spec, also used alone for exec. The inheritable and ambient sets are always empty; a user
 * other than root has the capabilities in its bounding set only, so that it gets them by nothing but a set-uid program,
 * unless the input says otherwise.
 */
export function buildProcess(
  input: SpecProcessInput,
  console: { readonly terminal: boolean; readonly consoleSize?: TerminalSize },
): Process {
  const bounding = [...input.capabilities];
  const held = input.uid === 0 || input.holdsCapabilities ? bounding : [];
  return {
    terminal: console.terminal,
    ...(console.terminal && console.consoleSize
      ? { consoleSize: { height: console.consoleSize.rows, width: console.consoleSize.columns } }
      : {}),
    user: { uid: input.uid, gid: input.gid, additionalGids: [...input.additionalGids] },
    args: [...input.args],
    env: [...input.env],
    cwd: input.cwd,
    capabilities: {
      bounding,
      effective: held,
      permitted: held,
      inheritable: [],
      ambient: [],
    },
    rlimits: [...input.rlimits],
    noNewPrivileges: input.noNewPrivileges,
    ...(input.oomScoreAdj === undefined ? {} : { oomScoreAdj: input.oomScoreAdj }),
    ...(input.apparmorProfile ? { apparmorProfile: input.apparmorProfile } : {}),
    ...(input.selinuxLabel ? { selinuxLabel: input.selinuxLabel } : {}),
  };
}

function clientAnnotations(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).filter(([key]) => !key.startsWith(RUNTIME_ANNOTATION)),
  );
}

function buildLinux(input: SpecInput, host: SpecHost): Spec['linux'] {
  const seccomp = resolveSeccomp(input.seccomp, input.process.capabilities, host);
  const propagation = rootfsPropagation(input);
  return {
    namespaces: input.namespaces.map((namespace) => ({ ...namespace })),
    ...(input.uidMappings ? { uidMappings: [...input.uidMappings] } : {}),
    ...(input.gidMappings ? { gidMappings: [...input.gidMappings] } : {}),
    devices: buildDevices(input, host),
    cgroupsPath: input.cgroupsPath,
    resources: { ...withoutUnlimited(input.resources), devices: deviceRules(input) },
    sysctl: buildSysctls(input),
    ...(seccomp ? { seccomp } : {}),
    ...pathsOf(input, host),
    ...(propagation ? { rootfsPropagation: propagation } : {}),
    ...(input.mountLabel ? { mountLabel: input.mountLabel } : {}),
    ...(input.intelRdt ? { intelRdt: input.intelRdt } : {}),
  };
}

function buildDevices(input: SpecInput, host: SpecHost): SpecDevice[] {
  if (!input.privileged) return [...input.devices];
  const own = new Set(input.devices.map((device) => device.path));
  return [...host.devices().filter((device) => !own.has(device.path)), ...input.devices];
}

function deviceRules(input: SpecInput) {
  if (input.privileged) return [ALL_DEVICES_RULE];
  return [...DEFAULT_DEVICE_RULES, ...input.deviceRules];
}

function buildSysctls(input: SpecInput): Record<string, string> {
  return {
    ...(input.domainname ? { 'kernel.domainname': input.domainname } : {}),
    ...input.sysctls,
  };
}

/** What an ordinary container on this machine cannot read, and what it cannot write to. */
export const restrictedPaths = (
  host: Pick<SpecHost, 'extraMaskedPaths'>,
): { readonly maskedPaths: readonly string[]; readonly readonlyPaths: readonly string[] } => ({
  maskedPaths: [...DEFAULT_MASKED_PATHS, ...host.extraMaskedPaths],
  readonlyPaths: DEFAULT_READONLY_PATHS,
});

function pathsOf(input: SpecInput, host: SpecHost): { maskedPaths: string[]; readonlyPaths: string[] } {
  const usual = input.privileged ? { maskedPaths: [], readonlyPaths: [] } : restrictedPaths(host);
  return {
    maskedPaths: [...(input.maskedPaths ?? usual.maskedPaths)],
    readonlyPaths: [...(input.readonlyPaths ?? usual.readonlyPaths)],
  };
}

/** A mount that shares events with the host needs a root mount that lets them through. */
function rootfsPropagation(input: SpecInput): string | undefined {
  const uses = (...modes: string[]) =>
    input.mounts.some((mount) => mount.options?.some((option) => modes.includes(option)));
  if (uses('shared', 'rshared')) return 'shared';
  return uses('slave', 'rslave') ? 'rslave' : undefined;
}

/** A fresh cgroup has no limits; for "none" crun writes what the kernel refuses. */
function withoutUnlimited({ pids, cpu, ...rest }: SpecResources): SpecResources {
  return {
    ...rest,
    ...(cpu === undefined ? {} : { cpu: withoutUnlimitedQuota(cpu) }),
    ...(pids === undefined || pids.limit <= 0 ? {} : { pids }),
  };
}

/** Processor time without "no quota" (below zero). */
export function withoutUnlimitedQuota({ quota, ...cpu }: NonNullable<SpecResources['cpu']>) {
  return quota === undefined || quota < 0 ? cpu : { ...cpu, quota };
}
