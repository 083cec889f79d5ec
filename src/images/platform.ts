import { ownValue } from '#base';
import { formatPlatform, type Platform } from '#oci';
import { wrongPlatform } from './errors.ts';
import type { StoredImage } from './types.ts';

/** Machines that also run the programs of an older one. */
const ALSO_RUNS: Readonly<Record<string, readonly string[]>> = { amd64: ['386'], arm64: ['arm'] };

/** What an image is for, by its config. */
export function platformOfImage({ config }: Pick<StoredImage, 'config'>): Platform {
  const { os, architecture, variant } = config;
  return { os, architecture, ...(variant ? { variant } : {}) };
}

/** Whether an image runs there: one that does not tell its variant does on each, one for an older variant on newer ones. */
export function runsOn(platform: Platform, image: Pick<StoredImage, 'config'>): boolean {
  const actual = platformOfImage(image);
  if (platform.os !== actual.os) return false;
  const wanted = platform.architecture;
  const others = ownValue(ALSO_RUNS, wanted);
  if (others?.includes(actual.architecture)) return true;
  if (wanted !== actual.architecture) return false;
  return !actual.variant || !platform.variant || actual.variant <= platform.variant;
}

/** @throws `not_found` with docker's text: there is an image of this name, but not the one meant. */
export function requirePlatform(
  reference: string,
  image: Pick<StoredImage, 'config'>,
  wanted: Platform,
): void {
  if (runsOn(wanted, image)) return;
  throw wrongPlatform(reference, formatPlatform(platformOfImage(image)), formatPlatform(wanted));
}
