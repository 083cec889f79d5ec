import { invalidArgument } from '#base';
import type { Seccomp, SeccompRule } from '#oci';
import type { SeccompChoice } from '../types.ts';
import { defaultProfile } from './default-profile.ts';
import { type ProfileRule, parseProfile, type RuleFilter, type SeccompProfile } from './profile.ts';

/** The machine a profile is resolved for. */
export interface SeccompHost {
  /** `process.arch`: `x64`, `arm64`, … */
  readonly architecture: string;
  /** `uname -r`. */
  readonly kernelRelease: string;
}

interface Conditions {
  readonly capabilities: ReadonlySet<string>;
  /** Go's name, as profiles spell it. */
  readonly architecture: string;
  readonly kernel: readonly [number, number];
}

const ARCHITECTURES: Readonly<Record<string, { readonly go: string; readonly seccomp: string }>> = {
  x64: { go: 'amd64', seccomp: 'SCMP_ARCH_X86_64' },
  arm64: { go: 'arm64', seccomp: 'SCMP_ARCH_AARCH64' },
  riscv64: { go: 'riscv64', seccomp: 'SCMP_ARCH_RISCV64' },
  s390x: { go: 's390x', seccomp: 'SCMP_ARCH_S390X' },
};
const EPERM = 1;

/**
 * The OCI filter of a container: the profile's rules that apply to its bounding capabilities, this architecture and
 * this kernel. Undefined means no filter.
 * @throws `invalid_argument` for a profile that cannot be read.
 */
export function resolveSeccomp(
  choice: SeccompChoice,
  capabilities: readonly string[],
  host: SeccompHost,
): Seccomp | undefined {
  if (choice.kind === 'unconfined') return undefined;
  const profile = choice.kind === 'default' ? defaultProfile() : parseProfile(choice.profile);
  return profile && resolveProfile(profile, capabilities, host);
}

function resolveProfile(
  profile: SeccompProfile,
  capabilities: readonly string[],
  host: SeccompHost,
): Seccomp {
  const conditions: Conditions = {
    capabilities: new Set(capabilities),
    architecture: ARCHITECTURES[host.architecture]?.go ?? host.architecture,
    kernel: parseKernel(host.kernelRelease),
  };
  const kept = profile.syscalls.filter((rule) => applies(rule, conditions));
  const architectures = chooseArchitectures(profile, host);
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures.length > 0 ? { architectures } : {}),
    ...(profile.flags ? { flags: [...profile.flags] } : {}),
    syscalls: [...kept.map(toOci), ...knownButDenied(profile, kept)],
  };
}

/**
 * Calls the profile names but does not allow to this container, as an explicit rule: it makes them "known" where
 * unknown calls answer ENOSYS, so that they answer EPERM.
 */
function knownButDenied(profile: SeccompProfile, kept: readonly ProfileRule[]): SeccompRule[] {
  if (profile.defaultAction !== 'SCMP_ACT_ERRNO') return [];
  const decided = new Set(kept.flatMap((rule) => rule.names));
  const onlyMissesCapability = (rule: ProfileRule) => (rule.includes?.caps?.length ?? 0) > 0;
  const names = profile.syscalls
    .filter(onlyMissesCapability)
    .flatMap((rule) => rule.names)
    .filter((name) => !decided.has(name));
  if (names.length === 0) return [];
  const errnoRet = profile.defaultErrnoRet ?? EPERM;
  return [{ names: [...new Set(names)].toSorted(), action: 'SCMP_ACT_ERRNO', errnoRet }];
}

function applies(rule: ProfileRule, conditions: Conditions): boolean {
  return !excluded(rule.excludes, conditions) && included(rule.includes, conditions);
}

function excluded(filter: RuleFilter | undefined, conditions: Conditions): boolean {
  if (!filter) return false;
  return (
    (filter.arches ?? []).includes(conditions.architecture) ||
    (filter.caps ?? []).some((name) => conditions.capabilities.has(name)) ||
    (filter.minKernel !== undefined && isAtLeast(conditions.kernel, filter.minKernel))
  );
}

function included(filter: RuleFilter | undefined, conditions: Conditions): boolean {
  if (!filter) return true;
  const arches = filter.arches ?? [];
  return (
    (arches.length === 0 || arches.includes(conditions.architecture)) &&
    (filter.caps ?? []).every((name) => conditions.capabilities.has(name)) &&
    (filter.minKernel === undefined || isAtLeast(conditions.kernel, filter.minKernel))
  );
}

function chooseArchitectures(profile: SeccompProfile, host: SeccompHost): string[] {
  if (profile.architectures) return [...profile.architectures];
  const own = ARCHITECTURES[host.architecture]?.seccomp;
  const entry = profile.archMap?.find(({ architecture }) => architecture === own);
  return entry ? [entry.architecture, ...(entry.subArchitectures ?? [])] : [];
}

function toOci(rule: ProfileRule): SeccompRule {
  return {
    names: [...rule.names],
    action: rule.action,
    ...(rule.errnoRet === undefined ? {} : { errnoRet: rule.errnoRet }),
    ...(rule.args ? { args: rule.args.map((arg) => ({ ...arg })) } : {}),
  };
}

function parseKernel(text: string): readonly [number, number] {
  const match = /^(\d+)\.(\d+)/.exec(text);
  if (!match) throw invalidArgument(`invalid kernel version: "${text}"`);
  return [Number(match[1]), Number(match[2])];
}

function isAtLeast(kernel: readonly [number, number], text: string): boolean {
  const [major, minor] = parseKernel(text);
  return kernel[0] > major || (kernel[0] === major && kernel[1] >= minor);
}
