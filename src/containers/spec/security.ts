import { invalidArgument } from '#base';
import type { SeccompChoice } from '#runtime';
import type { HostConfig } from '../model.ts';

/** What `--security-opt` and `--privileged` add up to. */
export interface Security {
  readonly noNewPrivileges: boolean;
  readonly seccomp: SeccompChoice;
}

/**
 * Reads security options. AppArmor and SELinux options are accepted where the host has neither, as docker does;
 * they have no effect then.
 * @throws `invalid_argument` with docker's texts. Source: moby `daemon/daemon_unix.go` (parseSecurityOpt).
 */
export function parseSecurity(
  host: Pick<HostConfig, 'securityOpt' | 'privileged'>,
  defaults: { readonly noNewPrivileges: boolean; readonly seccompProfile: string | undefined },
): Security {
  let noNewPrivileges = defaults.noNewPrivileges;
  let profile = defaults.seccompProfile;
  let isGiven = false;
  for (const option of host.securityOpt) {
    const [key, value] = splitOption(option);
    if (key === 'no-new-privileges') noNewPrivileges = parseFlag(value, option);
    else if (key === 'seccomp') {
      profile = value;
      isGiven = true;
    } else if (!['label', 'apparmor', 'disable', 'systempaths'].includes(key)) {
      throw invalidArgument(`invalid --security-opt 2: ${JSON.stringify(option)}`);
    }
  }
  if (host.privileged && !isGiven) return { noNewPrivileges, seccomp: { kind: 'unconfined' } };
  return { noNewPrivileges, seccomp: seccompChoice(profile) };
}

function splitOption(option: string): [key: string, value: string | undefined] {
  if (option === 'no-new-privileges' || option === 'disable') return [option, undefined];
  const at = option.search(/[=:]/);
  if (at < 0) throw invalidArgument(`invalid --security-opt 1: ${JSON.stringify(option)}`);
  return [option.slice(0, at), option.slice(at + 1)];
}

const TRUE: readonly string[] = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE: readonly string[] = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

function parseFlag(value: string | undefined, option: string): boolean {
  if (value === undefined || TRUE.includes(value)) return true;
  if (FALSE.includes(value)) return false;
  throw invalidArgument(`invalid --security-opt 2: ${JSON.stringify(option)}`);
}

function seccompChoice(profile: string | undefined): SeccompChoice {
  if (profile === undefined || profile === '' || profile === 'builtin') return { kind: 'default' };
  if (profile === 'unconfined') return { kind: 'unconfined' };
  try {
    JSON.parse(profile);
  } catch (error) {
    throw invalidArgument('decoding seccomp profile failed: the profile is not JSON', { cause: error });
  }
  return { kind: 'custom', profile };
}
