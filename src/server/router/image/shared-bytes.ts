import type { ImageDiskUsage } from '#images';

/** Bytes that each image has in common with others, by image. */
export const sharedBytes = ({ images }: ImageDiskUsage): ReadonlyMap<string, number> =>
  new Map(images.map((image) => [image.id, image.sharedBytes]));
