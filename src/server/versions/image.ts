import { type ImageConfig, type ImageInspect, type ImageSummary, ZERO_TIME } from '#api';
import type { RawQuery } from '../http/query.ts';
import { type ChangeTable, omit, onEach, onValue, withFilter, withoutParam } from './change.ts';

/** Fields that were never left out, with their zero values. */
const CONFIG_BEFORE_52 = {
  Cmd: null,
  Entrypoint: null,
  Env: null,
  Labels: null,
  OnBuild: null,
  User: '',
  Volumes: null,
  WorkingDir: '',
} as const;

const CONFIG_BEFORE_50 = {
  Hostname: '',
  Domainname: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Image: '',
} as const;

const withConfig = (defaults: object) =>
  onValue<ImageInspect>((image) => ({ ...image, Config: { ...defaults, ...(image.Config as ImageConfig) } }));

const withVirtualSize = <T extends { readonly Size: number }>(image: T) => ({
  ...image,
  VirtualSize: image.Size,
});

/** A name for images without one. */
function withNone(image: ImageSummary): ImageSummary {
  if (image.RepoTags.length > 0 || image.RepoDigests.length > 0) return image;
  return { ...image, RepoTags: ['<none>:<none>'], RepoDigests: ['<none>@<none>'] };
}

function withReference(query: RawQuery): RawQuery {
  const pattern = query.get('filter')?.[0];
  return pattern ? withFilter(query, `reference=${pattern}`) : query;
}

export const IMAGE_CHANGES: ChangeTable = {
  ImageList: [
    { before: 41, note: '`filter` is the filter `reference`.', query: withReference },
    { before: 42, note: '`shared-size` is ignored.', query: withoutParam('shared-size') },
    { before: 43, note: 'Images without a name are called `<none>`.', value: onEach(withNone) },
    { before: 44, note: '`VirtualSize`, equal to `Size`.', value: onEach<ImageSummary>(withVirtualSize) },
    {
      before: 48,
      note: 'No `Descriptor`.',
      value: onEach<ImageSummary>((image) => omit(image, 'Descriptor')),
    },
    {
      before: 51,
      note: '`Containers` is -1.',
      value: onEach<ImageSummary>((image) => ({ ...image, Containers: -1 })),
    },
  ],
  ImageInspect: [
    { before: 48, note: '`manifests` is ignored.', query: withoutParam('manifests') },
    { before: 49, note: '`platform` is ignored.', query: withoutParam('platform') },
    {
      before: 44,
      note: '`VirtualSize`; `Created` is the zero time when not known.',
      value: onValue<ImageInspect>((image) =>
        withVirtualSize({ ...image, Created: image.Created ?? ZERO_TIME }),
      ),
    },
    {
      before: 45,
      note: '`Container` and `ContainerConfig`, empty.',
      value: onValue<ImageInspect>((image) => ({
        ...image,
        Container: '',
        ContainerConfig: { ...CONFIG_BEFORE_50, ...CONFIG_BEFORE_52 },
      })),
    },
    {
      before: 48,
      note: 'No `Descriptor`.',
      value: onValue<ImageInspect>((image) => omit(image, 'Descriptor')),
    },
    { before: 50, note: 'Fields of a container in `Config`.', value: withConfig(CONFIG_BEFORE_50) },
    {
      before: 52,
      note: '`Parent`, `Comment`, `DockerVersion`, `Author` and fields of `Config` are never left out.',
      value: onValue<ImageInspect>((image) => ({
        Parent: '',
        Comment: '',
        DockerVersion: '',
        Author: '',
        ...image,
        Config: { ...CONFIG_BEFORE_52, ...image.Config },
      })),
    },
  ],
};
