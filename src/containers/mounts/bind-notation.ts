import { isAbsolute } from 'node:path';
import { invalidArgument } from '#base';
import { checkTarget } from './request.ts';

/** One `-v` entry, taken apart. */
export interface BindNotation {
  readonly kind: 'bind' | 'volume';
  /** Host path or volume name; empty for an anonymous volume. */
  readonly source: string;
  readonly destination: string;
  readonly mode: string;
  readonly readOnly: boolean;
  /** Empty: docker's default (`rprivate`). */
  readonly propagation: string;
  readonly noCopy: boolean;
}

/** Groups of options of which at most one may occur. */
const MODE_GROUPS: readonly (readonly string[])[] = [
  ['rw', 'ro'],
  ['z', 'Z'],
  ['private', 'rprivate', 'shared', 'rshared', 'slave', 'rslave'],
  ['copy', 'nocopy'],
  ['consistent', 'cached', 'delegated'],
];
const PROPAGATION_GROUP = MODE_GROUPS[2] ?? [];
const COPY_GROUP = MODE_GROUPS[3] ?? [];

/** What belongs to the other kind, and the field that docker finds it in. */
const FOREIGN = {
  bind: { field: 'VolumeOptions', group: COPY_GROUP },
  volume: { field: 'BindOptions', group: PROPAGATION_GROUP },
} as const;

/**
 * Parses `source:destination[:options]` or just a destination.
 * @throws `invalid_argument` (`invalid volume specification: 'X'`, `invalid mode: X`). Source: moby
 * `daemon/volume/mounts/linux_parser.go`.
 */
export function parseBind(text: string): BindNotation {
  const parts = text.split(':');
  if (parts[0] === '' || parts.length > 3) throw invalidArgument(`invalid volume specification: '${text}'`);
  if (parts.length === 2 && isMode(parts[1] ?? '')) {
    throw invalidArgument(`invalid volume specification: '${text}'`);
  }
  const [source, destination] = parts.length === 1 ? ['', parts[0] ?? ''] : [parts[0] ?? '', parts[1] ?? ''];
  const mode = parts[2] ?? '';
  if (!isMode(mode)) throw invalidArgument(`invalid mode: ${mode}`);
  const kind = isAbsolute(source) ? 'bind' : 'volume';
  const refuse = (reason: string): never => {
    throw invalidArgument(
      `invalid volume specification: '${text}': invalid mount config for type "${kind}": ${reason}`,
    );
  };
  if (destination === '') refuse('field Target must not be empty');
  checkTarget(destination, refuse);
  const options = mode.split(',');
  const { field, group } = FOREIGN[kind];
  if (options.some((option) => group.includes(option))) refuse(`field ${field} must not be specified`);
  return {
    kind,
    source,
    destination,
    mode,
    readOnly: options.includes('ro'),
    propagation: options.find((option) => PROPAGATION_GROUP.includes(option)) ?? '',
    noCopy: options.includes('nocopy'),
  };
}

/** The options of `--volumes-from`: how a mount spreads and what it begins with were settled by its owner. */
export const isInheritedMode = (mode: string): boolean =>
  isMode(mode) && !mode.split(',').some((option) => [...PROPAGATION_GROUP, ...COPY_GROUP].includes(option));

function isMode(mode: string): boolean {
  if (mode === '') return true;
  const options = mode.split(',');
  const isKnown = options.every((option) => MODE_GROUPS.some((group) => group.includes(option)));
  return isKnown && MODE_GROUPS.every((group) => options.filter((o) => group.includes(o)).length <= 1);
}
