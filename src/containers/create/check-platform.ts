import { platformOfImage, requirePlatform, runsOn, type StoredImage } from '#images';
import { formatPlatform, hostPlatform, parsePlatform } from '#oci';

/**
 * Compares an image with the platform that was asked for, or else with this machine. Answers warnings.
 * @throws `not_found` with docker's text, on which clients pull: there is an image of this name, but not the one meant;
 * `invalid_argument` for a text that names no platform.
 */
export function checkPlatform(
  reference: string,
  image: StoredImage,
  wanted: string | undefined,
): readonly string[] {
  if (wanted !== undefined) {
    requirePlatform(reference, image, parsePlatform(wanted));
    return [];
  }
  const host = hostPlatform();
  if (runsOn(host, image)) return [];
  return [
    `The requested image's platform (${formatPlatform(platformOfImage(image))}) does not match the detected host platform (${formatPlatform(host)}) and no specific platform was requested`,
  ];
}
