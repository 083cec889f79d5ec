import { randomInt } from 'node:crypto';
import { internal, invalidArgument } from '#base';
import { formatLabel, type SelinuxHost, type SelinuxLabel, tryParseLabel } from '#runtime';
import type { Container, HostConfig } from '../model.ts';

/** The labels of a container, for as long as it exists; both empty where the host has no SELinux. */
export type Labels = Readonly<Required<Pick<Container, 'processLabel' | 'mountLabel'>>>;

export const NO_LABELS: Labels = { processLabel: '', mountLabel: '' };

/** As policies define it: categories c0 to c1023. */
const CATEGORIES = 1024;
/** Of the files of containers without a label of their own: a pair that no container gets. */
const PRIVILEGED_LEVEL = 's0:c1022,c1023';
const MAX_ATTEMPTS = 10_000;

const VALID = ['disable', 'type', 'filetype', 'user', 'role', 'level'];

/**
 * Labels for a new container. Its pair of categories is its own: no process of another container, or one that escaped,
 * can touch what is labelled so. `options` are those of `--security-opt label=`; `others` are process labels in use.
 * @throws `invalid_argument` for unknown options. Source: the rules that docker's documentation gives for
 * `--security-opt label`.
 */
export function chooseLabels(
  host: SelinuxHost | undefined,
  options: readonly string[],
  others: readonly string[],
): Labels {
  if (!host) return NO_LABELS;
  if (options.includes('disable')) {
    return { processLabel: '', mountLabel: formatLabel({ ...host.file, level: PRIVILEGED_LEVEL }) };
  }
  const given = Object.fromEntries(options.map(parseOption));
  const level = given['level'] ?? freeLevel(others);
  const { filetype = host.file.type, user = host.file.user } = given;
  const process = {
    user: given['user'] ?? host.process.user,
    role: given['role'] ?? host.process.role,
    type: given['type'] ?? host.process.type,
    level,
  };
  return {
    processLabel: checked(process),
    mountLabel: checked({ user, role: host.file.role, type: filetype, level }),
  };
}

function parseOption(option: string): [name: string, value: string] {
  const colon = option.indexOf(':');
  if (colon < 0) {
    throw invalidArgument(
      `bad label option ${JSON.stringify(option)}, valid options 'disable' or \n'user, role, level, type, filetype' followed by ':' and a value`,
    );
  }
  const name = option.slice(0, colon);
  if (!VALID.includes(name)) {
    throw invalidArgument(
      `bad label option ${JSON.stringify(name)}, valid options 'disable, user, role, level, type, filetype'`,
    );
  }
  return [name, option.slice(colon + 1)];
}

/** Labels become mount options and words of the kernel: nothing else may get in. */
function checked(label: SelinuxLabel): string {
  const text = formatLabel(label);
  if (!tryParseLabel(text)) throw invalidArgument(`invalid SELinux label ${JSON.stringify(text)}`);
  return text;
}

/** A pair of categories that no other container has. */
function freeLevel(others: readonly string[]): string {
  const taken = new Set([...others.map((label) => tryParseLabel(label)?.level), PRIVILEGED_LEVEL]);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const high = randomInt(1, CATEGORIES);
    const level = `s0:c${randomInt(0, high)},c${high}`;
    if (!taken.has(level)) return level;
  }
  throw internal('no SELinux categories are left');
}

/**
 * The label options that follow from a container's modes, where the user gave none: none are needed to reach what is
 * shared with the host; who shares memory or processes with another container has that one's label.
 * @throws `invalid_argument` when the two it shares with have different ones. Source: moby `daemon/create.go`.
 */
export function impliedLabelOptions(
  host: Pick<HostConfig, 'securityOpt' | 'ipcMode' | 'pidMode' | 'privileged'>,
  resolve: (ref: string) => Container,
): string[] {
  if (host.securityOpt.some((option) => option.split('=', 1)[0] === 'label')) return [];
  if (host.privileged || host.ipcMode === 'host' || host.pidMode === 'host') return ['label=disable'];
  const labels = [host.ipcMode, host.pidMode].flatMap((mode) =>
    mode.startsWith('container:') ? [resolve(mode.slice('container:'.length)).processLabel ?? ''] : [],
  );
  const label = tryParseLabel(labels[0] ?? '');
  if (!label) return [];
  if (labels.some((other) => other !== labels[0])) {
    throw invalidArgument("--ipc and --pid containers SELinux labels aren't the same");
  }
  const { user, role, type, level } = label;
  return [`user:${user}`, `role:${role}`, `type:${type}`, `level:${level}`].map(
    (option) => `label=${option}`,
  );
}
