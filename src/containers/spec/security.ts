import { invalidArgument, ownValue } from '#base';
import type { SeccompChoice } from '#runtime';
import type { HostConfig } from '../model.ts';

/** What `--security-opt` and `--privileged` add up to. */
export interface Security {
  readonly noNewPrivileges: boolean;
  readonly seccomp: SeccompChoice;
  /** Profile as named; undefined: none was. */
  readonly appArmor: string | undefined;
  /** SELinux label options as given, `disable` or `type:x`. */
  readonly labels: readonly string[];
  /** The cgroup file system can be written to without `--privileged`. */
  readonly writableCgroups: boolean;
}

/** What the options say, before defaults are filled in. */
interface Given {
  noNewPrivileges?: boolean;
  seccomp?: string;
  appArmor?: string;
  writableCgroups?: boolean;
  readonly labels: string[];
}

/**
 * Reads security options; a later one of a kind wins, labels collect. AppArmor and SELinux options are accepted where the
 * host has neither, as docker does; they have no effect then. `systempaths=unconfined` never arrives: clients turn it
 * into empty lists of masked and read-only paths.
 * @throws `invalid_argument` with docker's texts. Source: moby `daemon/daemon_unix.go` (parseSecurityOpt).
 */
export function parseSecurity(
  host: Pick<HostConfig, 'securityOpt' | 'privileged'>,
  defaults: { readonly noNewPrivileges: boolean; readonly seccompProfile: string | undefined },
): Security {
  const given: Given = { labels: [] };
  for (const option of host.securityOpt) readOption(option, given);
  // An empty profile is as good as none.
  const isChosen = Boolean(given.seccomp);
  const seccomp =
    host.privileged && !isChosen
      ? ({ kind: 'unconfined' } as const)
      : seccompChoice(isChosen ? given.seccomp : defaults.seccompProfile);
  return {
    noNewPrivileges: given.noNewPrivileges ?? defaults.noNewPrivileges,
    seccomp,
    appArmor: given.appArmor || undefined,
    labels: given.labels,
    writableCgroups: given.writableCgroups ?? false,
  };
}

const BARE: Readonly<Record<string, (given: Given) => void>> = {
  'no-new-privileges': (given) => {
    given.noNewPrivileges = true;
  },
  'writable-cgroups': (given) => {
    given.writableCgroups = true;
  },
  disable: (given) => {
    given.labels.push('disable');
  },
};

const WITH_VALUE: Readonly<Record<string, (given: Given, value: string, option: string) => void>> = {
  label: (given, value) => {
    given.labels.push(value);
  },
  apparmor: (given, value) => {
    given.appArmor = value;
  },
  seccomp: (given, value) => {
    given.seccomp = value;
  },
  'no-new-privileges': (given, value, option) => {
    given.noNewPrivileges = parseFlag(value, option);
  },
  'writable-cgroups': (given, value, option) => {
    given.writableCgroups = parseFlag(value, option);
  },
};

function readOption(option: string, given: Given): void {
  const bare = ownValue(BARE, option);
  if (bare) {
    bare(given);
    return;
  }
  // A colon is the older notation: it counts only where there is no equals sign.
  const at = option.includes('=') ? option.indexOf('=') : option.indexOf(':');
  if (at < 0) throw invalidArgument(`invalid --security-opt 1: ${JSON.stringify(option)}`);
  const key = option.slice(0, at);
  const read = ownValue(WITH_VALUE, key);
  if (!read) throw invalidOption(option);
  read(given, option.slice(at + 1), option);
}

const invalidOption = (option: string) =>
  invalidArgument(`invalid --security-opt 2: ${JSON.stringify(option)}`);

/** As Go's `strconv.ParseBool`. */
const TRUE: readonly string[] = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE: readonly string[] = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

function parseFlag(value: string, option: string): boolean {
  if (TRUE.includes(value)) return true;
  if (FALSE.includes(value)) return false;
  throw invalidOption(option);
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
