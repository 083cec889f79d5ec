import type { DeviceNumber } from './types.ts';

/** `dev_t` as the C library encodes it (makedev(3)). */
export function makeDevice({ major, minor }: DeviceNumber): bigint {
  const [a, b] = [BigInt(major), BigInt(minor)];
  return ((a & 0xffff_f000n) << 32n) | ((a & 0xfffn) << 8n) | ((b & 0xffff_ff00n) << 12n) | (b & 0xffn);
}
