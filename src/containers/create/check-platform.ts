import { notFound } from '#base';
import type { StoredImage } from '#images';
import { formatPlatform, hostPlatform, type Platform, parsePlatform } from '#oci';

/** Machines that also run the programs of an older one. */
const ALSO_RUNS: Readonly<Record<string, readonly string[]>> = { amd64: ['386'], arm64: ['arm'] };

/**
 * Compares an image with the platform that was asked for, or else with this machine. Answers warnings.
 * @throws `not_found` with docker's text, on which clients pull: there is an image of this name, but not the one meant;
 * `invalid_argument` for a text that names no platform.
 */
export function checkPlatform(
  reference: string,
  { config }: StoredImage,
  wanted: string | undefined,
): readonly string[] {
  const { os, architecture, variant } = config;
  const actual: Platform = { os, architecture, ...(variant ? { variant } : {}) };
  const platform = wanted === undefined ? hostPlatform() : parsePlatform(wanted);
  if (runsOn(platform, actual)) return [];
  if (wanted !== undefined) {
    throw notFound(
      `image with reference ${reference} was found but its platform (${formatPlatform(actual)}) does not match the specified platform (${formatPlatform(platform)})`,
    );
  }
  return [
    `The requested image's platform (${formatPlatform(actual)}) does not match the detected host platform (${formatPlatform(platform)}) and no specific platform was requested`,
  ];
}

/** An image that does not tell its variant runs on each; one for an older variant runs on newer ones. */
function runsOn(platform: Platform, image: Platform): boolean {
  if (platform.os !== image.os) return false;
  if (ALSO_RUNS[platform.architecture]?.includes(image.architecture)) return true;
  if (platform.architecture !== image.architecture) return false;
  return !image.variant || !platform.variant || image.variant <= platform.variant;
}
