export { type AppArmorHost, isAppArmorEnabled, openAppArmor } from './apparmor/host.ts';
export { DEFAULT_CGROUP_PARENT } from './cgroup-parents.ts';
export { createRuntime, type RuntimeOptions } from './runtime.ts';
export {
  hideControllers,
  type NamespaceOptions,
  needsRuntimeNamespace,
  RuntimeNamespace,
  removeSharedBinds,
} from './runtime-namespace.ts';
export { RUNTIME_WORKER_ENTRY } from './seccomp/compile-in-worker.ts';
export { openSelinux, type SelinuxHost } from './selinux/host.ts';
export { formatLabel, type SelinuxLabel, tryParseLabel } from './selinux/label.ts';
export { buildProcess, buildSpec, readSpecHost, restrictedPaths, type SpecHost } from './spec/build-spec.ts';
export {
  ALL_CAPABILITIES,
  availableCapabilities,
  type CapabilityRequest,
  type Cut,
  DEFAULT_CAPABILITIES,
  resolveCapabilities,
} from './spec/capabilities.ts';
export { describeDevice, listHostDevices } from './spec/devices.ts';
export { findInit } from './spec/init.ts';
export { cutOomScoreAdj, cutRlimits, type LimitHost, readLimitHost, UNLIMITED } from './spec/limits.ts';
export { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from './spec/paths.ts';
export type * from './types.ts';
