import { errorMessage, parseBytes } from '#base';
import {
  cifsPort,
  invalidVolumeOption,
  invalidVolumeSize,
  missingVolumeOption,
  noVolumeQuota,
} from './errors.ts';
import type { Volume } from './types.ts';

const KNOWN: ReadonlySet<string> = new Set(['type', 'o', 'device', 'size']);
/** An option, and those that it means nothing without. */
const REQUIRED = [
  ['device', ['type']],
  ['type', ['device']],
  ['o', ['device', 'type']],
] as const;

/**
 * Checks the options of a new volume. @throws `invalid_argument` with docker's texts. Source: moby
 * `daemon/volume/local/local_unix.go`.
 */
export function checkDriverOptions(name: string, options: Readonly<Record<string, string>>): void {
  const unknown = Object.keys(options).find((key) => !KNOWN.has(key));
  if (unknown !== undefined) throw invalidVolumeOption(name, unknown);
  const { type, device = '', size } = options;
  if (type === 'cifs' && /^(?:[a-z]+:)?\/\/[^/]*:\d+(?:\/|$)/.test(device)) throw cifsPort(name);
  if (size !== undefined && bytesOf(name, size) > 0) throw noVolumeQuota(name);
  for (const [option, needed] of REQUIRED) {
    if (options[option] === undefined) continue;
    const missing = needed.find((other) => options[other] === undefined);
    if (missing !== undefined) throw missingVolumeOption(name, missing);
  }
}

function bytesOf(name: string, size: string): number {
  try {
    return parseBytes(size);
  } catch (error) {
    throw invalidVolumeSize(name, errorMessage(error));
  }
}

/** Whether something is to be mounted for the volume before a container can use it. */
export const needsMount = ({ options }: Pick<Volume, 'options'>): boolean =>
  Boolean(options['device'] || options['type']);
