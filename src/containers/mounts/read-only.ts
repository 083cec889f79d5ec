import { internal } from '#base';
import type { MountPoint } from '../model.ts';

type Wish = Pick<MountPoint, 'rw' | 'readOnlyNonRecursive' | 'readOnlyForceRecursive'>;

/**
 * `rw`, `ro` or `rro`: read-only with all that is mounted below, wherever kernel and runtime can.
 * `unsupported` says why they cannot.
 * @throws `internal` with docker's texts for wishes that contradict each other, or cannot be fulfilled.
 */
export function accessOption(
  { rw, readOnlyNonRecursive, readOnlyForceRecursive }: Wish,
  unsupported: string | undefined,
): 'rw' | 'ro' | 'rro' {
  const conflict = (text: string) => internal(`mount options conflict: ${text}`);
  if (rw && readOnlyNonRecursive) throw conflict('!ReadOnly && BindOptions.ReadOnlyNonRecursive');
  if (rw && readOnlyForceRecursive) throw conflict('!ReadOnly && BindOptions.ReadOnlyForceRecursive');
  if (readOnlyNonRecursive && readOnlyForceRecursive) {
    throw conflict('ReadOnlyNonRecursive && BindOptions.ReadOnlyForceRecursive');
  }
  if (rw) return 'rw';
  if (unsupported !== undefined && readOnlyForceRecursive) throw internal(unsupported);
  return unsupported === undefined && !readOnlyNonRecursive ? 'rro' : 'ro';
}
