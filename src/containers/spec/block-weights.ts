import { errnoCode } from '#base';
import type { Cgroups } from '#sys';
import type { Resources } from '../model.ts';
import { blockDevice } from './resources.ts';

/** By preference: CFQ's files, which kernels since 5.0 do not have, then those of its successor. */
const FILES = [
  { weight: 'blkio.weight', device: 'blkio.weight_device' },
  { weight: 'blkio.bfq.weight', device: 'blkio.bfq.weight_device' },
] as const;

/** On Linux the first two are one number, with either name. */
const NOT_SUPPORTED: readonly string[] = ['EOPNOTSUPP', 'ENOTSUP', 'ENODEV'];

/** Whether the weights are ours to write: with cgroup v1 the runtimes know only files that newer kernels lack. */
export const ownsBlockWeights = ({ mode }: Pick<Cgroups, 'mode'>): boolean => mode !== 'unified';

/**
 * Writes the block I/O weights of a container whose cgroup is there. False: the kernel has no such weights, and they
 * have no effect, as with docker. @throws what the kernel says to a value or device that it does not take.
 */
export function writeBlockWeights(
  cgroups: Pick<Cgroups, 'mode' | 'read' | 'write'>,
  path: string,
  { blkioWeight, blkioWeightDevice }: Pick<Resources, 'blkioWeight' | 'blkioWeightDevice'>,
): boolean {
  if (!ownsBlockWeights(cgroups) || (blkioWeight === 0 && blkioWeightDevice.length === 0)) return true;
  const files = FILES.find(({ weight }) => cgroups.read('blkio', path, weight) !== undefined);
  if (!files) return false;
  if (blkioWeight > 0) cgroups.write('blkio', path, files.weight, String(blkioWeight));
  for (const { path: node, weight } of blkioWeightDevice) {
    const { major, minor } = blockDevice(node);
    try {
      cgroups.write('blkio', path, files.device, `${major}:${minor} ${weight}`);
    } catch (error) {
      // A device with another scheduler than the one that has weights.
      if (!NOT_SUPPORTED.includes(errnoCode(error) ?? '')) throw error;
      return false;
    }
  }
  return true;
}
