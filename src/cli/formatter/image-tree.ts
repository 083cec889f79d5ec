import type { ImageSummary } from '#api';
import { formatBytes, shortId } from '#base';
import { alignColumns } from './tabwriter.ts';

/** An image with what only its inspection tells. */
export interface TreeImage {
  readonly image: ImageSummary;
  /** `linux/amd64`, `linux/arm64/v8`. */
  readonly platform: string;
}

const HEADER = 'IMAGE\tID\tDISK USAGE\tIN USE\n';
const NONE = '<none>';

/** Names as roots, the platforms of what they stand for below: an image with several names is one tree. */
export function imageTree(images: readonly TreeImage[]): string {
  return alignColumns(`${HEADER}${images.map(branch).join('')}`);
}

function branch({ image, platform }: TreeImage): string {
  const { RepoTags, Id, Size, Containers } = image;
  const names = RepoTags && RepoTags.length > 0 ? [...RepoTags].sort() : [NONE];
  const size = formatBytes(Size, 3);
  const roots = names.map((name) => `${name}\t${shortId(Id)}\t${size}\t${Containers > 0 ? 'U' : ''}\n`);
  return `${roots.join('')}└─ ${platform}\t${shortId(Id)}\t${size}\t\n`;
}
