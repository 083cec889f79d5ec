import type { ImageSummary } from '#api';
import { formatBytes, shortId } from '#base';
import { Struct } from '../template/values.ts';
import type { ListLayout } from './list.ts';
import { ago, goTime } from './text.ts';

const NONE = '<none>';
const SINCE = '{{if .CreatedSince }}{{.CreatedSince}}{{else}}N/A{{end}}';

/** Columns of `images`. */
export const IMAGE_LAYOUT: ListLayout = {
  headers: {
    ID: 'IMAGE ID',
    Repository: 'REPOSITORY',
    Tag: 'TAG',
    Digest: 'DIGEST',
    CreatedSince: 'CREATED',
    CreatedAt: 'CREATED AT',
    Size: 'SIZE',
    Containers: 'CONTAINERS',
    VirtualSize: 'SIZE',
    SharedSize: 'SHARED SIZE',
    UniqueSize: 'UNIQUE SIZE',
  },
  table: `{{.Repository}}\t{{.Tag}}\t{{.ID}}\t${SINCE}\t{{.Size}}`,
  quiet: 'ID',
};

/** With `--digests`. */
export const IMAGE_DIGEST_LAYOUT: ListLayout = {
  ...IMAGE_LAYOUT,
  table: `{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t${SINCE}\t{{.Size}}`,
};

/** One line of `images`: a name of an image. */
export interface ImageLine {
  readonly image: ImageSummary;
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

function splitName(name: string, separator: '@' | ':'): readonly [string, string] {
  const at = separator === '@' ? name.indexOf('@') : name.lastIndexOf(':');
  return [name.slice(0, at), name.slice(at + 1)];
}

function byRepository(names: readonly string[], separator: '@' | ':'): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const name of names.filter((candidate) => !candidate.startsWith(NONE))) {
    const [repository, rest] = splitName(name, separator);
    groups.set(repository, [...(groups.get(repository) ?? []), rest]);
  }
  return groups;
}

/** An image has a line for each of its names; with digests for each pair of tag and digest. */
export function imageLines(image: ImageSummary, withDigests: boolean): ImageLine[] {
  const digests = byRepository(image.RepoDigests ?? [], '@');
  const lines: ImageLine[] = [];
  for (const [repository, tags] of byRepository(image.RepoTags ?? [], ':')) {
    const own = withDigests ? (digests.get(repository) ?? [NONE]) : [NONE];
    digests.delete(repository);
    lines.push(...own.flatMap((digest) => tags.map((tag) => ({ image, repository, tag, digest }))));
  }
  for (const [repository, own] of digests) {
    const shown = withDigests ? own : [NONE];
    lines.push(...shown.map((digest) => ({ image, repository, tag: NONE, digest })));
  }
  return lines.length > 0 ? lines : [{ image, repository: NONE, tag: NONE, digest: NONE }];
}

const sizeOrUnknown = (bytes: number): string => (bytes === -1 ? 'N/A' : formatBytes(bytes));

/** One line as templates see it. */
export function imageRow(
  line: ImageLine,
  options: { readonly truncate: boolean; readonly nowMs: number },
): Struct {
  const { image, repository, tag, digest } = line;
  return new Struct('*formatter.imageContext', {
    ID: () => (options.truncate ? shortId(image.Id) : image.Id),
    Repository: () => repository,
    Tag: () => tag,
    Digest: () => digest,
    CreatedSince: () => (image.Created <= 0 ? '' : ago(image.Created, options.nowMs)),
    CreatedAt: () => goTime(new Date(image.Created * 1000)),
    Size: () => formatBytes(image.Size, 3),
    Containers: () => (image.Containers === -1 ? 'N/A' : String(image.Containers)),
    VirtualSize: () => formatBytes(image.Size),
    SharedSize: () => sizeOrUnknown(image.SharedSize),
    UniqueSize: () => (image.SharedSize === -1 ? 'N/A' : formatBytes(image.Size - image.SharedSize)),
  });
}
